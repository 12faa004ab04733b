import { type Fields, fieldsOf } from './guards.ts';
import type { BeginWatch, Guard, QueryWatch } from './query-watch.ts';
import { withAdditions } from './stand-in.ts';
import { tapPrompts } from './tap-prompts.ts';
import { errorOf, watchQuery } from './watched-query.ts';
import { isWrapped, WRAPPED } from './wrapped.ts';

/** Anything that is called as the SDK's `query` is. */
export type QueryFunction = (...parameters: never[]) => AsyncIterable<unknown>;

/** A `query` that does what the given one does, and is watched. */
export function wrapQueryFunction<Q extends QueryFunction>(query: Q, begin: BeginWatch, guard: Guard): Q {
  if (isWrapped(query)) return query;
  return new Proxy(query, {
    apply(target, self, parameters: unknown[]): unknown {
      const given = fieldsOf(parameters[0]);
      const watch = given === undefined ? undefined : guard('query', () => begin(fieldsOf(given['options'])));
      if (given === undefined || watch === undefined) return Reflect.apply(target, self, parameters);
      return startWatched(watch, guard, () => {
        const watched = guard('query', () => watchedParameters(given, watch, guard)) ?? given;
        return Reflect.apply(target, self, [watched, ...parameters.slice(1)]);
      });
    },
    get: (target, name) => (name === WRAPPED ? true : Reflect.get(target, name)),
  });
}

/** Calls the real thing. What it throws is the user's; the watch hears of it. */
export function startWatched(watch: QueryWatch, guard: Guard, start: () => unknown): unknown {
  let query: unknown;
  try {
    query = start();
  } catch (error) {
    guard('query', () => watch.ended('error', errorOf(error)));
    throw error;
  }
  const watched = (started: unknown): unknown => guard('query', () => watchStarted(started, watch, guard)) ?? started;
  // A query function of the user's own may be asynchronous.
  return query instanceof Promise ? query.then(watched) : watched(query);
}

function watchStarted(started: unknown, watch: QueryWatch, guard: Guard): unknown {
  if (typeof started === 'object' && started !== null && (Symbol.asyncIterator in started || 'next' in started)) {
    return watchQuery(started as AsyncIterable<unknown>, watch, guard);
  }
  // Nothing that will ever say a message.
  watch.ended('error');
  return started;
}

function watchedParameters(given: Fields, watch: QueryWatch, guard: Guard): object {
  const { prompt } = given;
  if (typeof prompt === 'string') guard('prompt', () => watch.promptGiven(prompt));
  const options = guard('options', () => watch.options);
  return withAdditions(given, {
    prompt: tapPrompts(prompt, watch, guard),
    ...(options === undefined ? {} : { options }),
  });
}
