// `spanprism claude` beside plain `claude`, from the start of the process to its end: the real binary against the scripted Messages API.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  answer,
  claudeBinary,
  cleanEnvironment,
  makeProject,
  startMessagesApi,
  text,
  toolUse,
  when,
} from '../../packages/testkit/dist/index.js';
import { interleaved, median } from './run-contender.mjs';

const COMMAND = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
const BINARY = claudeBinary(new URL('../../e2e/package.json', import.meta.url).href);
const MODEL = 'claude-opus-5-5';

/** Milliseconds before each answer; each run has two, and a call of Bash between them. */
const RUNS = {
  short: { delayMs: 0, rounds: 21, budget: { ms: 150 } },
  long: { delayMs: 2_500, rounds: 3, budget: { ratio: 1.05 } },
};

export async function run() {
  if (BINARY.path === undefined) throw new Error(BINARY.absent);
  const rows = [];
  const ratios = [];
  for (const [name, plan] of Object.entries(RUNS)) {
    const { plain, traced, added } = await measured(plan);
    const metric = `${name} run`;
    rows.push({ name: 'claude', metric, value: plain, unit: 'ms' });
    rows.push({ name: 'spanprism claude', metric, value: traced, unit: 'ms' });
    const { ms, ratio } = plan.budget;
    const pair = `spanprism claude / claude, ${metric}`;
    const more = { name: pair, value: added, unit: 'ms more' };
    ratios.push(ms === undefined ? more : { ...more, budget: ms, holds: added <= ms });
    const times = { name: pair, value: (plain + added) / plain };
    ratios.push(ratio === undefined ? times : { ...times, budget: ratio, holds: times.value <= ratio });
  }
  return { title: 'The command', rows, ratios };
}

async function measured({ delayMs, rounds }) {
  const bash = toolUse({ id: 'toolu_1', name: 'Bash', input: { command: 'echo hi', description: 'say hi' } });
  await using api = await startMessagesApi({
    rules: [
      when.lastUserText('go').reply(answer([text('Let me see.'), bash], { delayMs })),
      when.toolResult('toolu_1').reply(answer([text('Done.')], { delayMs })),
    ],
  });
  await using project = await makeProject();
  const path = [dirname(BINARY.path), process.env.PATH].join(delimiter);
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra: { PATH: path } });
  const claude = ['-p', 'go', '--allowedTools', 'Bash', '--model', MODEL];
  const contenders = {
    plain: [BINARY.path, claude],
    traced: [process.execPath, [COMMAND, '--quiet', 'claude', ...claude]],
  };
  const wallMs = async (name) => {
    const [program, args] = contenders[name];
    const start = performance.now();
    const child = spawn(program, args, { cwd: project.cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    return performance.now() - start;
  };
  // The first run of each finds nothing in the caches of the system.
  for (const name of Object.keys(contenders)) await wallMs(name);
  const { plain, traced } = await interleaved(Object.keys(contenders), rounds, wallMs);
  // Of runs that followed each other: from one to the next round, plain `claude` itself takes half as long again.
  const added = median(traced.map((ms, round) => ms - plain[round]));
  return { plain: median(plain), traced: median(traced), added };
}
