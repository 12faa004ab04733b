// A command is read when it is called for. People wait for `spanprism claude` most of all: it is few files.
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

/** A thread shares no memory with who starts it: each is one file, found at run time beside the file that starts it. */
const THREADS = {
  'doors-thread': 'src/collect/doors/doors-thread.ts',
  'store-thread': '../store/src/sink/store-thread.ts',
  'wire-thread': '../core/src/loopback/wire/wire-thread.ts',
};

/**
 * The command brings what it uses of the other packages: to look for a package and to read it file by file is time and work beside
 * a `claude` that is starting.
 */
const WHOLE = {
  packages: 'bundle',
  conditions: ['@spanprism/source'],
  external: ['@grpc/grpc-js'],
  minify: true,
};

await build({
  ...bundled({ main: 'src/main.ts' }, { after: { 'src/run-command-line.ts': AFTER_FRAME, [CLAUDE]: AFTER_CLAUDE } }),
  ...WHOLE,
});

await build({ ...bundled(THREADS), ...WHOLE, splitting: false });
