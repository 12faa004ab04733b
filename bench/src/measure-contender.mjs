// One contender in a process of its own: `node --expose-gc measure-contender.mjs '<job as JSON>'` prints what it took as JSON.
import { consume, contenders } from './contenders.mjs';
import { syntheticSdk } from './synthetic-query.mjs';

const { contender, origin, messages, warmUp, partials = false, heapEvery } = JSON.parse(process.argv[2]);

const tracing = await contenders[contender](origin);
for (let run = 0; run < 2; run++) {
  await consume(tracing.wrap(syntheticSdk({ messages: warmUp, partials })));
  await tracing.flush();
}
process.send({ ready: true });
await new Promise((resolve) => process.once('message', resolve));

const heap = [];
const onMessage = heapEvery === undefined ? undefined : (made) => made % heapEvery === 0 && heap.push(heapBytes());
const sdk = tracing.wrap(syntheticSdk({ messages, partials, onMessage }));
// Otherwise not: a full collection also throws away what the engine has learnt of objects of which none is alive.
if (heapEvery !== undefined) globalThis.gc();
const cpuBefore = process.cpuUsage();
const start = process.hrtime.bigint();
const seen = await consume(sdk);
const wallNanos = Number(process.hrtime.bigint() - start);
await tracing.flush();
const { user, system } = process.cpuUsage(cpuBefore);

process.send({ seen, wallNanos, cpuNanos: (user + system) * 1000, heap, stats: tracing.stats?.() });
await tracing.close?.();
// Peers keep timers and connections that hold the process.
process.exit(0);

/** What is alive, garbage aside. */
function heapBytes() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
