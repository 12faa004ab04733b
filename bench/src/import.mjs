import { spawnSync } from 'node:child_process';
import { interleaved, median } from './run-contender.mjs';

const ROUNDS = 21;
const BUDGET_MS = 10;
const CORE = new URL('../../packages/core/dist/index.js', import.meta.url);
const OTLP = new URL('../../packages/claude-otlp/dist/index.js', import.meta.url);

const PROGRAMS = {
  'bare Node': '',
  '@spanprism/core': `import '${CORE}'`,
  '@spanprism/core and claude-otlp': `import '${CORE}'; import '${OTLP}'`,
  '@opentelemetry/sdk-trace-base': "import '@opentelemetry/sdk-trace-base'",
  openinference: "import '@arizeai/openinference-instrumentation-claude-agent-sdk'",
};

/** Whole processes that import one thing and end, as built and published, against one that imports nothing. */
export async function run() {
  const names = Object.keys(PROGRAMS);
  const samples = await interleaved(names, ROUNDS, (name) => processMs(PROGRAMS[name]));
  const times = Object.fromEntries(names.map((name) => [name, median(samples[name])]));
  const bare = times['bare Node'];
  const rows = names.map((name) => ({ name, metric: 'process', value: times[name], unit: 'ms' }));
  const value = times['@spanprism/core'] - bare;
  const name = '@spanprism/core / bare Node, process';
  return {
    title: 'Import',
    rows,
    ratios: [{ name, value, unit: 'ms more', budget: BUDGET_MS, holds: value <= BUDGET_MS }],
  };
}

function processMs(program) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: new URL('.', import.meta.url),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - start;
}
