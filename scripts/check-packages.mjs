// Checks the tarballs that would be published: their manifests (publint) and their types (attw).
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
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
  const { status, stdout, stderr } = spawnSync(tool, args, {
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  console.log(`${status === 0 ? '✓' : '✗'} ${tool} ${basename(tarball)}`);
  if (status !== 0) console.log(stdout, stderr);
  return status === 0;
}

const failed = checks.filter((check) => !passes(check));
process.exitCode = failed.length === 0 ? 0 : 1;
