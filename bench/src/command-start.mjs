// How long each command takes from the start of its process to its end, against Node alone, as built and published. The reports answer
// from a small store; the other commands show their help, for which they have to be loaded too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sqliteSink } from '../../packages/store/dist/index.js';
import { SAMPLE_TRACES } from '../../packages/testkit/dist/samples/index.js';
import { interleaved, median } from './run-contender.mjs';

const ROUNDS = 15;
const BUDGET_MS = 120;
const BARE = 'bare Node';
const MAIN = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** What is run of each, and how it may end: `failures` finds some. */
const COMMANDS = {
  '--help': [['--help']],
  runs: [['runs'], 0],
  show: [['show'], 0],
  failures: [['failures'], 1],
  cost: [['cost', '--by', 'tool'], 0],
  claude: [['help', 'claude']],
  collect: [['help', 'collect']],
  import: [['help', 'import']],
  ci: [['help', 'ci']],
  doctor: [['help', 'doctor']],
};

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-bench-'));
  try {
    const store = join(folder, 'spans.db');
    const sink = sqliteSink({ path: store });
    for (const span of Object.entries(SAMPLE_TRACES).flatMap(inSession)) sink.spanEnd(span);
    await sink.close(10_000);
    return report(await measured(store));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The samples have the same keys. */
function inSession([session, spans]) {
  return spans.map((span) => ({ ...span, sessionId: session, key: `${session}/${span.key}` }));
}

async function measured(store) {
  const names = [BARE, ...Object.keys(COMMANDS)];
  const samples = await interleaved(names, ROUNDS, (name) =>
    name === BARE
      ? processMs(['--eval', '0'], { store })
      : processMs([MAIN, ...COMMANDS[name][0]], { store, code: COMMANDS[name][1] }),
  );
  return Object.fromEntries(names.map((name) => [name, median(samples[name])]));
}

function report(times) {
  const nameOf = (command) => (command === BARE ? BARE : `spanprism ${command}`);
  const rows = Object.entries(times).map(([name, value]) => ({
    name: nameOf(name),
    metric: 'process',
    value,
    unit: 'ms',
  }));
  const ratios = Object.keys(COMMANDS).map((command) => {
    const value = times[command] - times[BARE];
    const name = `${nameOf(command)} / ${BARE}, process`;
    return { name, value, unit: 'ms more', budget: BUDGET_MS, holds: value <= BUDGET_MS };
  });
  return { title: 'Start of commands', rows, ratios };
}

function processMs(args, { store, code = 0 }) {
  const env = { PATH: process.env.PATH, SPANPRISM_STORE: store };
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (status !== code) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}
