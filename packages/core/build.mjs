// One file per entry instead of a hundred: each further file costs an importing program a fraction of a millisecond,
// and the budget of the whole import is ten.
import { build } from 'esbuild';

await build({
  entryPoints: {
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
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  legalComments: 'none',
});
