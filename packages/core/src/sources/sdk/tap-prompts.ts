import type { Guard, QueryWatch } from './query-watch.ts';

/** The same messages, overheard: each is noted when the SDK takes it, never ahead. */
export function tapPrompts(prompts: unknown, watch: QueryWatch, guard: Guard): unknown {
  if (typeof prompts !== 'object' || prompts === null || !(Symbol.asyncIterator in prompts)) return prompts;
  const iterable = prompts as AsyncIterable<unknown>;
  return { [Symbol.asyncIterator]: () => tapIterator(iterable[Symbol.asyncIterator](), watch, guard) };
}

function tapIterator(iterator: AsyncIterator<unknown>, watch: QueryWatch, guard: Guard): AsyncIterator<unknown> {
  const tapped: AsyncIterator<unknown> = {
    next: async (...parameters) => {
      const taken = await iterator.next(...parameters);
      guard('prompt', () => (taken.done === true ? watch.promptsOver() : watch.promptTaken(taken.value)));
      return taken;
    },
  };
  const { return: leave, throw: fail } = iterator;
  if (leave !== undefined) tapped.return = (value) => leave.call(iterator, value);
  if (fail !== undefined) tapped.throw = (error) => fail.call(iterator, error);
  return tapped;
}
