// The budget of the whole import is ten milliseconds.
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

await build(
  bundled({
    index: 'src/index.ts',
    otlp: 'src/otlp/index.ts',
    receive: 'src/otlp/receive/index.ts',
    dialect: 'src/dialect/index.ts',
    live: 'src/live/index.ts',
    child: 'src/child.ts',
    sessions: 'src/sessions.ts',
    wire: 'src/wire.ts',
    terminal: 'src/terminal.ts',
    transcript: 'src/sources/transcript/index.ts',
    // Found at run time beside the file that starts it.
    'loopback-thread': 'src/loopback/loopback-thread.ts',
    'wire-thread': 'src/loopback/wire/wire-thread.ts',
  }),
);
