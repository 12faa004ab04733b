// Checks the tarballs that would be published: their manifests (publint) and their types (attw).
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { packAll } from './pack.mjs';
import { cache, run } from './setup.mjs';

const folder = join(cache, 'packed');
rmSync(folder, { recursive: true, force: true });

const checks = Object.values(packAll(folder)).flatMap((tarball) => [
  ['publint', 'run', tarball, '--strict'],
  ['attw', tarball, '--profile', 'esm-only'],
]);
// All of them run, so that one report shows everything that is wrong.
const failed = checks.filter((command) => !run(command));
process.exitCode = failed.length === 0 ? 0 : 1;
