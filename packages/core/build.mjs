// The budget of the whole import is ten milliseconds, of which most is reading the text: names within it are short ones.
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

const INDEX = 'src/index.ts';

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

await build({
  ...bundled(
    { index: INDEX, ...BESIDE_INDEX },
    { after: { [INDEX]: [...Object.values(BESIDE_INDEX), 'src/loopback/wire/main-pipe.ts'] } },
  ),
  minify: true,
});

// Threads share no memory with who starts them: each is one file, found at run time beside the file that starts it. What a child
// process is given is asked for where the index is too much; it keeps no state that the two copies would have to share.
await build({
  ...bundled({
    'loopback-thread': 'src/loopback/loopback-thread.ts',
    'wire-thread': 'src/loopback/wire/wire-thread.ts',
    child: 'src/child.ts',
  }),
  minify: true,
  splitting: false,
});
