import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/**
 * How packages are bundled: one file per entry in place of one per source, since each further file costs an importing program a
 * fraction of a millisecond. Each package brings its own esbuild. `after` is what `loadedAfter` wants.
 */
export function bundled(entryPoints, { target = 'node20.19', after = {} } = {}) {
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
    plugins: [sources([builtinsByName, loadedAfter(after)])],
  };
}

/** A plugin that gives esbuild the text of each source after these changes. */
function sources(changes) {
  return {
    name: 'sources',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^loaded-first:/ }, ({ path }) => ({
        path: resolve(path.slice('loaded-first:'.length)),
        sideEffects: true,
      }));
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        return { contents: changes.reduce((changed, change) => change(changed, path), text), loader: 'ts' };
      });
    },
  };
}

const IMPORT_OF_BUILTIN = /^import (?<whole>\w+)?(?:, )?(?:\{(?<names>[^}]*)\})? from '(?<id>node:[^']+)';$/gm;

/**
 * What is imported of Node, asked for by name: an ES import reads every export of the module, and with it what lies behind lazy ones:
 * `node:util` loads threads and streams for it, `node:http` an HTTP/2 client.
 */
function builtinsByName(text) {
  return text.replaceAll(IMPORT_OF_BUILTIN, (...match) => {
    const { whole, names = '', id } = match.at(-1);
    const values = names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => name.replace(' as ', ': '));
    const bindings = [
      ...(whole === undefined ? [] : [whole]),
      ...(values.length > 0 ? [`{ ${values.join(', ')} }`] : []),
    ];
    return bindings.map((binding) => `const ${binding} = globalThis.process.getBuiltinModule('${id}');`).join(' ');
  });
}

/**
 * For files of which a program loads none without the file in whose list they stand. What files share goes into one file for each set
 * of files that share it; with what is loaded before them in all of these, that is one set in place of a dozen. Paths are relative to
 * the package.
 */
function loadedAfter(lists) {
  const before = new Map();
  for (const [first, later] of Object.entries(lists)) {
    for (const path of later.map((name) => resolve(name))) before.set(path, [...(before.get(path) ?? []), first]);
  }
  return (text, path) =>
    [text, ...(before.get(path) ?? []).map((first) => `import 'loaded-first:${first}';`)].join('\n');
}
