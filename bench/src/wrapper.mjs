import { interleaved, measureWarm, median, withBackend } from './run-contender.mjs';

const BUDGET = 1 / 2;
const LINEAR = [
  'none',
  'spanprism',
  'openinference',
  'spanprism to OTLP',
  'spanprism to OTLP with content',
  'openinference to OTLP',
];
/** Time and bytes of these grow with the square of the conversation. */
const QUADRATIC = ['langsmith', 'braintrust'];

const RUNS = [
  { label: '300 messages', messages: 300, warmUp: 200, rounds: 3, names: [...LINEAR, ...QUADRATIC] },
  { label: '1,000 messages', messages: 1_000, warmUp: 200, rounds: 1, names: [...LINEAR, ...QUADRATIC] },
  { label: '10,000 messages', messages: 10_000, warmUp: 3_000, rounds: 5, names: LINEAR },
  { label: '100,000 messages', messages: 100_000, warmUp: 3_000, rounds: 5, names: LINEAR },
  {
    label: '50,000 messages with 100 stream events per answer',
    // An init, 490 times 100 events with an answer and a result, and the end.
    messages: 49_982,
    warmUp: 5_102,
    partials: true,
    rounds: 3,
    names: LINEAR,
  },
];

/** A process that has been at it for a while. An init, 200 times 100 events with an answer and a result, and the end. */
const WARM_RUNS = [
  { label: '10,000 messages, warm', messages: 10_000, rounds: 40 },
  { label: '100,000 messages, warm', messages: 100_000, rounds: 6 },
  { label: '20,000 messages with 100 stream events per answer, warm', messages: 20_402, rounds: 40, partials: true },
];
const WARM = ['none', 'spanprism', 'openinference'];

/** With the same done at the end: spans thrown away, or encoded and sent. OpenInference's always have content. */
const PAIRS = [
  { ours: 'spanprism', peer: 'openinference' },
  { ours: 'spanprism to OTLP', peer: 'openinference to OTLP' },
  { ours: 'spanprism to OTLP with content', peer: 'openinference to OTLP' },
];

/**
 * What a message costs in the consumer's loop. The rows include the making of the message; the ratios are of what a wrapper adds to
 * that. OpenInference makes spans of tools and of the query; ours, as all others, also of model calls. The budget is one of warm
 * processes: a fresh one spends most of its first hundred thousand messages on compiling, and is shown beside it.
 */
export async function run() {
  const rows = [];
  const ratios = [];
  for (const { label, ...job } of WARM_RUNS) {
    const samples = await measureWarm({ ...job, names: WARM });
    const [none, ours, peer] = WARM.map((name) => median(samples[name]));
    for (const name of WARM) rows.push({ name, metric: label, value: median(samples[name]), unit: 'ns/message' });
    const value = (ours - none) / (peer - none);
    ratios.push({ name: `spanprism / openinference, ${label}`, value, budget: BUDGET, holds: value <= BUDGET });
  }
  await withBackend(async (measure) => {
    for (const { label, rounds, names, ...job } of RUNS) {
      const samples = await interleaved(names, rounds, (contender) => measure({ ...job, contender }));
      const perMessage = (name, what) => median(samples[name].map((sample) => sample[what])) / job.messages;
      for (const name of names) {
        rows.push({ name, metric: label, value: perMessage(name, 'wallNanos'), unit: 'ns/message' });
        rows.push({
          name,
          metric: `${label}, CPU with flush`,
          value: perMessage(name, 'cpuNanos'),
          unit: 'ns/message',
        });
        rows.push({ name, metric: `${label}, sent`, value: perMessage(name, 'bytes'), unit: 'bytes/message' });
      }
      const added = (name) => perMessage(name, 'wallNanos') - perMessage('none', 'wallNanos');
      const compare = ({ ours, peer }) => {
        ratios.push({ name: `${ours} / ${peer}, ${label}`, value: added(ours) / added(peer) });
      };
      for (const pair of PAIRS) compare(pair);
      for (const peer of QUADRATIC) if (names.includes(peer)) compare({ ours: 'spanprism to OTLP with content', peer });
    }
  });
  return { title: 'Wrapper: cost per SDK message', rows, ratios };
}
