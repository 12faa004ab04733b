// The budget of the whole import is ten milliseconds.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

const pathOf = (file) => fileURLToPath(new URL(file, import.meta.url));
const INDEX = pathOf('src/index.ts');

/** Entries of which a program loads none without the index. */
const BESIDE_INDEX = {
  otlp: 'src/otlp/index.ts',
  receive: 'src/otlp/receive/index.ts',
  dialect: 'src/dialect/index.ts',
  live: 'src/live/index.ts',
  terminal: 'src/terminal.ts',
  sessions: 'src/sessions.ts',
  wire: 'src/wire.ts',
  transcript: 'src/sources/transcript/index.ts',
};

/** A file that the index loads when it is needed. */
const LATER = 'src/loopback/wire/main-pipe.ts';

/**
 * What entries share goes into one file for each set of entries that share it. With the index in all of these, what it is made of is
 * one set in place of a dozen: each further file costs every program most of a millisecond.
 */
const withIndex = {
  name: 'with-index',
  setup({ onLoad, onResolve }) {
    const files = new Set([...Object.values(BESIDE_INDEX), LATER].map(pathOf));
    onResolve({ filter: /^core-index$/ }, () => ({ path: INDEX, sideEffects: true }));
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!files.has(path)) return undefined;
      return { contents: `${await readFile(path, 'utf8')}\nimport 'core-index';\n`, loader: 'ts' };
    });
  },
};

const quietly = {
  minifyWhitespace: true,
  // The index is not to be evaluated there, only to be grouped with.
  logOverride: { 'ignored-bare-import': 'silent' },
};

await build({
  ...bundled({ index: 'src/index.ts', ...BESIDE_INDEX }),
  ...quietly,
  plugins: [withIndex],
});

// Threads share no memory with who starts them: each is one file, found at run time beside the file that starts it. What a child
// process is given is asked for where the index is too much; it keeps no state that the two copies would have to share.
await build({
  ...bundled({
    'loopback-thread': 'src/loopback/loopback-thread.ts',
    'wire-thread': 'src/loopback/wire/wire-thread.ts',
    child: 'src/child.ts',
  }),
  ...quietly,
  splitting: false,
});
