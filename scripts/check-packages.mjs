// Checks the tarballs that would be published: their manifests (publint) and their types (attw).
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { packAll } from './pack.mjs';
import { cache, env } from './setup.mjs';

const folder = join(cache, 'packed');
rmSync(folder, { recursive: true, force: true });

const checks = Object.values(packAll(folder)).flatMap((tarball) => [
  { tool: 'publint', args: ['run', tarball, '--strict'], tarball },
  { tool: 'attw', args: [tarball, '--profile', 'esm-only'], tarball },
]);

// Both print pages about what is fine, so only failures are shown; all checks run, so that one report shows all of them.
function passes({ tool, args, tarball }) {
  return new Promise((resolve) => {
    execFile(tool, args, { env, encoding: 'utf8', shell: process.platform === 'win32' }, (error, stdout, stderr) => {
      console.log(`${error === null ? '✓' : '✗'} ${tool} ${basename(tarball)}`);
      if (error !== null) console.log(stdout, stderr);
      resolve(error === null);
    });
  });
}

let failed = 0;
async function worker() {
  for (let check = checks.shift(); check !== undefined; check = checks.shift()) if (!(await passes(check))) failed += 1;
}

// They load for longer than they check: as many at a time as there are cores.
await Promise.all(Array.from({ length: availableParallelism() }, worker));
process.exitCode = failed === 0 ? 0 : 1;
