// A command is read when it is called for. People wait for `spanprism claude` most of all: it is few files.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundled } from '../../scripts/bundle.mjs';

const CLAUDE = 'src/claude/command.ts';

const AFTER_CLAUDE = [
  'src/claude/forward.ts',
  'src/claude/last-lines.ts',
  'src/claude/settings-override.ts',
  'src/claude/trace-run.ts',
  // It looks at what a run would look at.
  'src/doctor/examine.ts',
];

const AFTER_FRAME = [
  CLAUDE,
  ...AFTER_CLAUDE,
  'src/ci/command.ts',
  'src/ci/sum-up.ts',
  'src/collect/command.ts',
  'src/collect/run-collect.ts',
  'src/doctor/command.ts',
  'src/import/command.ts',
  'src/import/run-import.ts',
  'src/reports/report.ts',
  'src/reports/cost/command.ts',
  'src/reports/failures/command.ts',
  'src/reports/runs/command.ts',
  'src/reports/show/command.ts',
];

await build({
  ...bundled({ main: 'src/main.ts' }, { after: { 'src/run-command-line.ts': AFTER_FRAME, [CLAUDE]: AFTER_CLAUDE } }),
  // `claude` starts when this has been loaded: a few hundred lines are read sooner than a package is looked for.
  alias: { '@spanprism/core/child': fileURLToPath(new URL('../core/src/child.ts', import.meta.url)) },
});

// A thread shares no memory with who starts it: it is one file, found at run time beside the file that starts it.
await build({
  ...bundled({ 'doors-thread': 'src/collect/doors/doors-thread.ts' }),
  splitting: false,
  alias: { '@spanprism/core/receive': fileURLToPath(new URL('../core/src/otlp/receive/index.ts', import.meta.url)) },
});
