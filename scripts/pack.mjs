// `node scripts/pack.mjs <folder>` packs every published package as the registry would get it and prints the paths of
// the tarballs as JSON, by package name. Expects a build.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { env, root } from './setup.mjs';

function pnpm(args) {
  return JSON.parse(
    execFileSync('pnpm', args, { cwd: root, env, encoding: 'utf8', shell: process.platform === 'win32' }),
  );
}

/** Packs all packages into the folder; answers `{ [package name]: path of its tarball }`. */
export function packAll(folder) {
  mkdirSync(folder, { recursive: true });
  const packages = pnpm(['ls', '--recursive', '--depth', '-1', '--json']).filter((entry) => !entry.private);
  const packed = packages.map(({ name, path }) => {
    const { filename } = pnpm(['--dir', path, 'pack', '--json', '--pack-destination', folder]);
    return [name, join(folder, filename.split(/[\\/]/).pop())];
  });
  return Object.fromEntries(packed);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(packAll(resolve(process.argv[2] ?? '.'))));
}
