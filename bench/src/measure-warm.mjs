// All contenders in one process, conversation by conversation in turn: `node measure-warm.mjs '<job as JSON>'` prints what a message
// took each of them, in nanoseconds, once everything has long been compiled.
import { consume, contenders } from './contenders.mjs';
import { syntheticSdk } from './synthetic-query.mjs';

const { names, messages, rounds, partials = false } = JSON.parse(process.argv[2]);

const entrants = [];
for (const name of names) entrants.push({ name, tracing: await contenders[name](), samples: [] });

// The first third goes to the compilers.
const warmUp = Math.ceil(rounds / 2);
for (let round = -warmUp; round < rounds; round++) {
  for (const entrant of round % 2 === 0 ? entrants : entrants.toReversed()) {
    const sdk = entrant.tracing.wrap(syntheticSdk({ messages, partials }));
    const start = process.hrtime.bigint();
    const seen = await consume(sdk);
    const nanos = Number(process.hrtime.bigint() - start);
    if (seen !== messages) throw new Error(`${entrant.name} let ${seen} of ${messages} pass`);
    if (round >= 0) entrant.samples.push(nanos / messages);
    await entrant.tracing.flush();
  }
}
process.send(Object.fromEntries(entrants.map(({ name, samples }) => [name, samples])), () => process.exit(0));
