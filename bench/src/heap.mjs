import { interleaved, median, withBackend } from './run-contender.mjs';

const MESSAGES = 100_000;
const SAMPLE_EVERY = 2_500;
const MIB = 1024 * 1024;
/** Samples of a collected heap still differ by what the engine compiles and caches. */
const FLAT = 1.1;
const LINEAR = 1.1;

/** What is alive, and what is sent, while a conversation grows: neither may grow faster than it. */
export async function run() {
  const rows = [];
  const ratios = [];
  await withBackend(async (measure) => {
    const names = ['none', 'spanprism', 'openinference'];
    const growing = { messages: MESSAGES, warmUp: 3_000, heapEvery: SAMPLE_EVERY };
    const samples = await interleaved(names, 1, (contender) => measure({ ...growing, contender }));
    for (const name of names) {
      const [{ heap }] = samples[name];
      const early = median(heap.slice(heap.length >> 2, heap.length >> 1)) / MIB;
      const late = median(heap.slice(-(heap.length >> 2))) / MIB;
      const value = late / early;
      rows.push({ name: `${name} late`, metric: 'heap alive', value: late, unit: 'MiB' });
      rows.push({ name: `${name} early`, metric: 'heap alive', value: early, unit: 'MiB' });
      if (name === 'spanprism') {
        ratios.push({
          name: 'spanprism late / spanprism early, heap alive',
          value,
          budget: FLAT,
          holds: value <= FLAT,
        });
      }
    }
    const content = 'spanprism to OTLP with content';
    const short = await measure({ contender: content, messages: MESSAGES / 10, warmUp: 3_000 });
    const long = await measure({ contender: content, messages: MESSAGES, warmUp: 3_000 });
    const value = long.bytes / MESSAGES / (short.bytes / (MESSAGES / 10));
    rows.push({ name: `${content} (100,000)`, metric: 'sent', value: long.bytes / MESSAGES, unit: 'bytes/message' });
    rows.push({
      name: `${content} (10,000)`,
      metric: 'sent',
      value: short.bytes / (MESSAGES / 10),
      unit: 'bytes/message',
    });
    const dropped = Object.values(long.stats.sinks.otlp.dropped).reduce((sum, count) => sum + count, 0);
    ratios.push({
      name: `${content} (100,000) / ${content} (10,000), sent`,
      value,
      budget: LINEAR,
      // Bytes that were shed instead of sent prove nothing.
      holds: value <= LINEAR && dropped === 0,
    });
  });
  return { title: 'Heap and bytes of a growing conversation', rows, ratios };
}
