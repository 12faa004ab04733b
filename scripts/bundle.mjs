import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/**
 * How packages are bundled: one file per entry in place of one per source, since each further file costs an importing program a
 * fraction of a millisecond. Each package brings its own esbuild.
 */
export function bundled(entryPoints, { target = 'node20.19' } = {}) {
  return {
    entryPoints,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    packages: 'external',
    legalComments: 'none',
    // Each character is read by whoever starts.
    minifyWhitespace: true,
    // `loadedAfter` groups files by imports that are not to be evaluated.
    logOverride: { 'ignored-bare-import': 'silent' },
  };
}

/**
 * A plugin for files of which a program loads none without the file in whose list they stand. What files share goes into one file for
 * each set of files that share it; with what is loaded before them in all of these, that is one set in place of a dozen. Paths are
 * relative to the package.
 */
export function loadedAfter(lists) {
  const before = new Map();
  for (const [first, later] of Object.entries(lists)) {
    for (const path of later.map((name) => resolve(name))) before.set(path, [...(before.get(path) ?? []), first]);
  }
  return {
    name: 'loaded-after',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^loaded-first:/ }, ({ path }) => ({
        path: resolve(path.slice('loaded-first:'.length)),
        sideEffects: true,
      }));
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const imports = before.get(path)?.map((first) => `import 'loaded-first:${first}';`);
        if (imports === undefined) return undefined;
        return { contents: [await readFile(path, 'utf8'), ...imports].join('\n'), loader: 'ts' };
      });
    },
  };
}
