import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from './run-contender.mjs';
import { drive, makeBodies } from './wire-client.mjs';

const OURS = 'spanprism';
const PEER = 'laminar';
const NONE = 'direct';
const LANES = 32;
const WARM_UP = 4_000;
const TELLING_MS = 200;
const DELIVERY_MS = 3_000;

const FAST = { deltas: 200, everyMs: 0 };
const PACED = { deltas: 150, everyMs: 10, concurrency: 8, requests: 8 };
const FREE = '8 paced streams, another process computes';
const BLOCKED = '8 paced streams, its main thread computes';

/** `contenders`, in turn; `busy` says, for each in place of them, in which process somebody computes meanwhile. */
const RUNS = [
  { label: '1 stream', concurrency: 1, requests: 60, rounds: 3, ...FAST },
  { label: '32 streams', concurrency: LANES, requests: 640, rounds: 5, ...FAST },
  { label: '8 paced streams', rounds: 3, ...PACED },
].map(({ label, rounds, ...load }) => ({ rounds, cases: [NONE, OURS, PEER].map((name) => ({ label, name, load })) }));

/** The same load on the same processors, once beside the pass-through's process and once on the main thread of it. */
RUNS.push({
  rounds: 9,
  cases: [
    { label: FREE, name: OURS, busy: 'neighbour', load: PACED },
    { label: BLOCKED, name: OURS, busy: OURS, load: PACED },
  ],
});

/**
 * What a pass-through costs between Claude Code and the Messages API, with requests of 100 KB: ours and Laminar's, which is Rust. Both
 * capture whole exchanges and export them as spans to the same receiver. Upstream, receiver and apps are processes of their own.
 */
export async function run() {
  const upstream = await start('./wire-upstream.mjs');
  const sink = await start('./sink-process.mjs');
  const apps = {};
  try {
    for (const contender of [OURS, PEER, 'neighbour']) {
      const job = { contender, upstream: upstream.hello.origin, sink: sink.hello.origin, lanes: LANES };
      apps[contender] = await start('./wire-app.mjs', JSON.stringify(job));
    }
    const samples = await measure(apps, upstream.hello.origin);
    await new Promise((resolve) => setTimeout(resolve, DELIVERY_MS));
    const counts = await tell(apps[OURS], 'cpu');
    // Who does not export does not do the same work. Of each lane the latest call may still be open.
    if (counts.delivered < counts.captured - LANES)
      throw new Error(`${counts.delivered} spans of ${counts.captured} exchanges`);
    return report(samples, counts);
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
    await drive({ urls: urlsOf(name), concurrency: LANES, requests: WARM_UP, bodies, ...FAST });
  for (const { rounds, cases } of RUNS) {
    for (let round = 0; round < rounds; round++) {
      for (const { label, name, busy, load } of round % 2 === 0 ? cases : cases.toReversed()) {
        samples[label] ??= {};
        const taken = (samples[label][name] ??= []);
        taken.push(await sample({ app: apps[name], busy: apps[busy], load: { urls: urlsOf(name), bodies, ...load } }));
      }
    }
  }
  return samples;
}

async function sample({ app, busy, load }) {
  if (busy !== undefined) await tell(busy, 'block');
  const before = app === undefined ? undefined : await tell(app, 'cpu');
  const seen = await drive(load);
  if (busy !== undefined) await tell(busy, 'unblock');
  // What was captured is still being told when the client is done.
  if (app !== undefined) await new Promise((resolve) => setTimeout(resolve, TELLING_MS));
  const after = app === undefined ? undefined : await tell(app, 'cpu');
  // With somebody who computes in it, the figures of a process are his.
  const cpuSeconds = app === undefined || busy === app ? undefined : after.cpuSeconds - before.cpuSeconds;
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

function report(samples, { captured, lost, delivered }) {
  const rows = Object.entries(samples).flatMap(([label, byName]) =>
    Object.entries(byName).flatMap(([name, taken]) => rowsOf({ label, name, taken })),
  );
  const figures = Object.fromEntries(rows.map(({ name, metric, value }) => [`${name}, ${metric}`, value]));
  rows.push({ name: OURS, metric: 'exchanges captured', value: captured, unit: '' });
  rows.push({ name: OURS, metric: 'spans delivered', value: delivered, unit: '' });
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
  const free = `${FREE}, chunk p99`;
  const blocked = `${BLOCKED}, chunk p99`;
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
    ratio('8 paced streams, chunk p99', undefined, plain('8 paced streams, chunk p99')),
    {
      name: `${OURS}, chunk p99: its main thread computes / another process does`,
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
