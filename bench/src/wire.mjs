import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from './run-contender.mjs';
import { drive, makeBodies } from './wire-client.mjs';

const OURS = 'spanprism';
const PEER = 'laminar';
const NONE = 'direct';
const LANES = 32;

const FAST = { deltas: 200, everyMs: 0 };
const PACED = { deltas: 150, everyMs: 10 };
const RUNS = [
  { label: '1 stream', concurrency: 1, requests: 60, rounds: 3, names: [NONE, OURS, PEER], ...FAST },
  { label: '32 streams', concurrency: LANES, requests: 640, rounds: 3, names: [NONE, OURS, PEER], ...FAST },
  { label: '8 paced streams', concurrency: 8, requests: 8, rounds: 2, names: [NONE, OURS, PEER], ...PACED },
  {
    label: '8 paced streams, main thread blocked',
    isBlocked: true,
    concurrency: 8,
    requests: 8,
    rounds: 2,
    names: [OURS, PEER],
    ...PACED,
  },
];

/**
 * What a pass-through costs between Claude Code and the Messages API, with requests of 100 KB: ours and Laminar's, which is Rust. Both
 * capture whole exchanges and export them as spans to the same receiver. Upstream, receiver and apps are processes of their own.
 */
export async function run() {
  const upstream = await start('./wire-upstream.mjs');
  const sink = await start('./sink-process.mjs');
  const apps = {};
  try {
    for (const contender of [OURS, PEER]) {
      const job = { contender, upstream: upstream.hello.origin, sink: sink.hello.origin, lanes: LANES };
      apps[contender] = await start('./wire-app.mjs', JSON.stringify(job));
    }
    const samples = await measure(apps, upstream.hello.origin);
    return report(samples, await tell(apps[OURS], 'cpu'));
  } finally {
    for (const { child } of [upstream, sink, ...Object.values(apps)]) child.disconnect();
  }
}

async function start(file, ...args) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [hello] = await once(child, 'message');
  return { child, hello };
}

async function tell({ child }, order) {
  child.send(order);
  const [told] = await once(child, 'message');
  return told;
}

async function measure(apps, origin) {
  const bodies = makeBodies(100_000);
  const urlsOf = (name) => apps[name]?.hello.urls ?? Array.from({ length: LANES }, () => origin);
  const samples = {};
  // Compilers and pools of all: what is measured is how it goes on, not how it begins.
  for (const name of [NONE, OURS, PEER])
    await drive({ urls: urlsOf(name), concurrency: LANES, requests: 1_600, bodies, ...FAST });
  for (const { label, names, rounds, isBlocked, ...load } of RUNS) {
    samples[label] = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        samples[label][name].push(await sample({ app: apps[name], urls: urlsOf(name), bodies, isBlocked, ...load }));
      }
    }
  }
  return samples;
}

async function sample({ app, isBlocked, ...load }) {
  if (isBlocked) await tell(app, 'block');
  const before = app === undefined ? undefined : await tell(app, 'cpu');
  const seen = await drive(load);
  // What was captured is still being told when the client is done.
  if (app !== undefined) await new Promise((resolve) => setTimeout(resolve, 200));
  const after = app === undefined ? undefined : await tell(app, 'cpu');
  if (isBlocked) await tell(app, 'unblock');
  const cpuSeconds = before === undefined ? undefined : after.cpuSeconds - before.cpuSeconds;
  return {
    ...seen,
    cpuPer1000: cpuSeconds === undefined ? undefined : (1000 * cpuSeconds) / load.requests,
    rss: after?.rss,
  };
}

const METRICS = [
  ['first byte p50', 'ms', ({ firsts }) => percentile(firsts, 0.5)],
  ['total p50', 'ms', ({ totals }) => percentile(totals, 0.5)],
  ['requests', 'per s', ({ perSecond }) => perSecond],
  ['CPU', 's per 1,000', ({ cpuPer1000 }) => cpuPer1000],
  ['chunk p50', 'ms', ({ chunks }) => percentile(chunks, 0.5)],
  ['chunk p99', 'ms', ({ chunks }) => percentile(chunks, 0.99)],
  ['memory', 'MB', ({ rss }) => (rss === undefined ? undefined : rss / 1e6)],
];

function report(samples, { captured, lost }) {
  const rows = Object.entries(samples).flatMap(([label, byName]) =>
    Object.entries(byName).flatMap(([name, taken]) => rowsOf({ label, name, taken })),
  );
  const figures = Object.fromEntries(rows.map(({ name, metric, value }) => [`${name}, ${metric}`, value]));
  rows.push({ name: OURS, metric: 'exchanges captured', value: captured, unit: '' });
  rows.push({ name: OURS, metric: 'exchanges lost or thinned', value: lost, unit: '' });
  return { title: 'Wire: requests of 100 KB through a pass-through', rows, ratios: ratiosOf(figures) };
}

function rowsOf({ label, name, taken }) {
  return METRICS.flatMap(([metric, unit, read]) => {
    const values = taken.map(read).filter((value) => value !== undefined);
    return values.length === 0 ? [] : [{ name, metric: `${label}, ${metric}`, value: median(values), unit }];
  });
}

function ratiosOf(figures) {
  const of = (name, metric) => figures[`${name}, ${metric}`];
  const ratio = (metric, budget, value) => ({
    name: `${OURS} / ${PEER}, ${metric}`,
    value,
    ...(budget && { budget, holds: value <= budget }),
  });
  const added = (metric) => (of(OURS, metric) - of(NONE, metric)) / (of(PEER, metric) - of(NONE, metric));
  const plain = (metric) => of(OURS, metric) / of(PEER, metric);
  const free = '8 paced streams, chunk p99';
  const blocked = '8 paced streams, main thread blocked, chunk p99';
  return [
    { ...ratio('1 stream, total p50', 1 / 20, added('1 stream, total p50')), unit: 'added' },
    { ...ratio('1 stream, first byte p50', undefined, added('1 stream, first byte p50')), unit: 'added' },
    ratio('1 stream, CPU', undefined, plain('1 stream, CPU')),
    ratio('32 streams, CPU', 1 / 3, plain('32 streams, CPU')),
    {
      ...ratio('32 streams, requests', undefined, plain('32 streams, requests')),
      holds: plain('32 streams, requests') >= 2,
      unit: '(≥ 2)',
    },
    ratio(free, undefined, plain(free)),
    {
      name: `${OURS}, ${blocked} / unblocked`,
      value: of(OURS, blocked) / of(OURS, free),
      budget: 2,
      holds: of(OURS, blocked) / of(OURS, free) <= 2,
    },
  ];
}

function percentile(values, share) {
  if (values.length === 0) return undefined;
  return values.toSorted((left, right) => left - right)[Math.min(values.length - 1, Math.floor(share * values.length))];
}
