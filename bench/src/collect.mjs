import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const OURS = 'spanprism collect';
const BARE = 'node:http and decoding';
/** As of many machines. */
const CONNECTIONS = 64;
const SLICES = 6;
/** Before anything is measured: compilers settle, sessions fill up. */
const WARM_UP_MS = 5_000;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * The rate at which `spanprism collect` takes what real runs export, each run a new session, into its sink, beside a server that does
 * nothing but decode: in turns, each slice by the same load. And whether its memory stays where it is.
 */
export async function run({ seconds = 12, sink = 'otlp' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-bench-collect-'));
  const load = fork(here('./collect-load.mjs'), { execArgv: ['--conditions=@spanprism/source'] });
  const bare = fork(here('./collect-bare.mjs'), { execArgv: ['--conditions=@spanprism/source'] });
  const backend = fork(here('./sink-process.mjs'));
  const [[, { port: barePort }, { origin }]] = [await Promise.all([load, bare, backend].map(nextMessage))];
  const ours = await startOurs(folder, sink === 'store' ? undefined : origin);
  try {
    const contenders = { [BARE]: barePort, [OURS]: ours.port };
    const taken = { [BARE]: newTally(), [OURS]: newTally() };
    const resident = [];
    for (const port of Object.values(contenders)) await loaded(load, port, WARM_UP_MS);
    for (let slice = 0; slice < SLICES; slice++) {
      const names = Object.keys(contenders);
      for (const name of slice % 2 === 0 ? names : names.toReversed()) {
        add(taken[name], await loaded(load, contenders[name], (seconds * 1000) / SLICES));
      }
      resident.push(residentMb(ours.child.pid));
    }
    return report(taken, resident);
  } finally {
    for (const child of [load, bare, backend, ours.child]) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Rejects when the process ends in place of an answer. */
async function nextMessage(child) {
  const over = new AbortController();
  const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} has ended with ${code}`);
  });
  try {
    return await Promise.race([once(child, 'message').then(([message]) => message), ended]);
  } finally {
    over.abort();
    ended.catch(() => undefined);
  }
}

async function loaded(load, port, ms) {
  load.send({ port, ms, connections: CONNECTIONS });
  return nextMessage(load);
}

async function startOurs(folder, endpoint) {
  const main = here('../../packages/cli/dist/main.js');
  const args = ['collect', '--port', '0', '--grpc-port', 'off', '--spool', join(folder, 'spool')];
  // As long as it takes for a session to be over here: what is measured is a state that lasts.
  const times = ['--session-idle', '2', '--settle', '1'];
  const sink = endpoint === undefined ? [] : ['--otlp-endpoint', endpoint];
  // The backend is on the same machine, where compression only takes the processor from others.
  const plain = { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' };
  const env = {
    ...plain,
    PATH: process.env.PATH,
    HOME: folder,
    SPANPRISM_STORE: join(folder, 'spans.db'),
    SPANPRISM_STORE_MAX_BYTES: String(2 ** 33),
  };
  const child = spawn(process.execPath, [main, ...args, ...times, ...sink], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const text of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text;
    const found = /collecting at http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
    if (found !== null) {
      child.stderr.on('data', (line) => process.stderr.write(line));
      return { child, port: Number(found[1]) };
    }
  }
  throw new Error(`spanprism collect has not started: ${said}`);
}

function residentMb(pid) {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? Number.NaN) / 1024;
}

const newTally = () => ({ requests: 0, records: 0, bytes: 0, refused: 0, ms: 0 });

function add(sum, part) {
  for (const [key, value] of Object.entries(part)) sum[key] += value;
}

function report(taken, resident) {
  const rate = (name, of) => taken[name][of] / (taken[name].ms / 1000);
  const rows = [BARE, OURS].flatMap((name) => [
    { name, metric: 'records taken', value: rate(name, 'records'), unit: '/s' },
    { name, metric: 'requests taken', value: rate(name, 'requests'), unit: '/s' },
    { name, metric: 'bytes taken', value: rate(name, 'bytes') / 1e6, unit: 'MB/s' },
  ]);
  rows.push({ name: OURS, metric: 'asked to come again', value: taken[OURS].refused, unit: '' });
  // Of the first slice, heaps and caches are still growing.
  const [, second = Number.NaN, ...later] = resident;
  const last = later.at(-1) ?? Number.NaN;
  rows.push({ name: OURS, metric: 'resident after the second slice', value: second, unit: 'MB' });
  rows.push({ name: OURS, metric: 'resident after the last slice', value: last, unit: 'MB' });
  const slower = rate(BARE, 'records') / rate(OURS, 'records');
  const growth = last / second;
  return {
    title: 'collect: what real runs export, each run a new session',
    rows,
    ratios: [
      { name: `${BARE} / ${OURS}, records taken`, value: slower, budget: 2, holds: slower <= 2 },
      { name: `${OURS}, resident at the end / after a third`, value: growth, budget: 1.25, holds: growth <= 1.25 },
    ],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, sink: { type: 'string' } } });
  const seconds = Number(values.seconds ?? 12);
  const { rows, ratios } = await run({ seconds, sink: values.sink });
  for (const { name, metric, value, unit } of rows) console.log(`${name}, ${metric}: ${Math.round(value)} ${unit}`);
  for (const { name, value, budget, holds } of ratios)
    console.log(`${name}: ${value.toFixed(2)} (≤ ${budget}: ${holds ? 'holds' : 'MISSED'})`);
  process.exitCode = ratios.every(({ holds }) => holds) ? 0 : 1;
}
