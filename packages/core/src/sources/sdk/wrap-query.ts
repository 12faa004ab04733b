import type { SpanError } from '../../model/span.ts';
import type { QueryEnded } from '../../model/observation.ts';
import { fieldsOf, stringIn } from './guards.ts';
import type { BeginWatch, Guard, QueryWatch } from './query-watch.ts';

/** Anything that is called as the SDK's `query` is. */
export type QueryFunction = (...parameters: never[]) => AsyncIterable<unknown>;

/** Known to all copies of this package, so that a query wrapped by one is not wrapped again by another. */
const WRAPPED: unique symbol = Symbol.for('spanprism.wrapped');

export function isWrapped(value: unknown): boolean {
  return (
    (typeof value === 'function' || (typeof value === 'object' && value !== null)) &&
    Reflect.get(value, WRAPPED) === true
  );
}

export function markWrapped<T extends object>(value: T): T {
  Object.defineProperty(value, WRAPPED, { value: true });
  return value;
}

/** A `query` that does what the given one does, and is watched. */
export function wrapQueryFunction<Q extends QueryFunction>(query: Q, begin: BeginWatch, guard: Guard): Q {
  if (isWrapped(query)) return query;
  const wrapped = new Proxy(query, {
    apply(target, self, parameters: unknown[]): unknown {
      const given = fieldsOf(parameters[0]);
      const watch = given === undefined ? undefined : guard('query', () => begin(fieldsOf(given['options'])));
      if (given === undefined || watch === undefined) return Reflect.apply(target, self, parameters);
      return startWatched(watch, guard, () => {
        const watched = watchedParameters(given, watch, guard);
        return Reflect.apply(target, self, [watched, ...parameters.slice(1)]) as AsyncIterable<unknown>;
      });
    },
    get: (target, name) => (name === WRAPPED ? true : Reflect.get(target, name)),
  });
  return wrapped;
}

/** Calls the real thing. What it throws is the user's; the watch hears of it. */
export function startWatched(
  watch: QueryWatch,
  guard: Guard,
  start: () => AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  let query: AsyncIterable<unknown>;
  try {
    query = start();
  } catch (error) {
    guard('query', () => watch.ended('error', errorOf(error)));
    throw error;
  }
  return guard('query', () => watchQuery(query, watch, guard)) ?? query;
}

function watchedParameters(given: Readonly<Record<string, unknown>>, watch: QueryWatch, guard: Guard): unknown {
  const { prompt } = given;
  if (typeof prompt === 'string') guard('prompt', () => watch.promptGiven(prompt));
  return {
    ...given,
    prompt: tapPrompts(prompt, watch, guard),
    ...(watch.options === undefined ? {} : { options: watch.options }),
  };
}

/** The same messages, overheard: each is noted when the SDK takes it, never ahead. A frozen iterable rules out a proxy. */
export function tapPrompts(prompts: unknown, watch: QueryWatch, guard: Guard): unknown {
  if (typeof prompts !== 'object' || prompts === null || !(Symbol.asyncIterator in prompts)) return prompts;
  const iterable = prompts as AsyncIterable<unknown>;
  return { [Symbol.asyncIterator]: () => tapIterator(iterable[Symbol.asyncIterator](), watch, guard) };
}

function tapIterator(iterator: AsyncIterator<unknown>, watch: QueryWatch, guard: Guard): AsyncIterator<unknown> {
  const tapped: AsyncIterator<unknown> = {
    next: async (...parameters) => {
      const taken = await iterator.next(...parameters);
      if (taken.done !== true) guard('prompt', () => watch.promptTaken(taken.value));
      return taken;
    },
  };
  const { return: leave, throw: fail } = iterator;
  if (leave !== undefined) tapped.return = (value) => leave.call(iterator, value);
  if (fail !== undefined) tapped.throw = (error) => fail.call(iterator, error);
  return tapped;
}

type Method = (...parameters: unknown[]) => unknown;

/** The query itself with every member it has or will ever have; only the doors through which messages and endings pass are watched. */
function watchQuery(query: AsyncIterable<unknown>, watch: QueryWatch, guard: Guard): AsyncIterable<unknown> {
  const doors = new Doors(watch, guard);
  const bound: Map<PropertyKey, unknown> = new Map();
  const proxy: AsyncIterable<unknown> = new Proxy(query, {
    get(target, name) {
      if (name === WRAPPED) return true;
      const known = bound.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      // The real object keeps private state: its members must be called on it.
      const method = member.bind(target) as Method;
      const watched = name === Symbol.asyncIterator ? iteratorOf(target, method, proxy) : doors.watched(name, method);
      bound.set(name, watched);
      return watched;
    },
  });
  return proxy;

  function iteratorOf(target: AsyncIterable<unknown>, method: Method, self: AsyncIterable<unknown>): Method {
    return () => {
      const iterator = method() as AsyncIterable<unknown>;
      return iterator === target ? self : watchQuery(iterator, watch, guard);
    };
  }
}

class Doors {
  readonly #watch: QueryWatch;
  readonly #guard: Guard;
  #isOver = false;
  /** Where messages are held back, a second `next()` must not overtake the first. */
  #previous: Promise<unknown> = Promise.resolve();

  constructor(watch: QueryWatch, guard: Guard) {
    this.#watch = watch;
    this.#guard = guard;
  }

  watched(name: PropertyKey, method: Method): Method {
    switch (name) {
      case 'next':
        return this.#watch.isHidden === undefined
          ? this.#next(method)
          : this.#nextVisible(method, this.#watch.isHidden);
      case 'return':
      case 'throw':
        return this.#leaving(name, method);
      case 'close':
      case Symbol.asyncDispose:
        return this.#leaving('close', method);
      case 'interrupt':
        return (...parameters) => {
          this.#guard('interrupt', () => this.#watch.ended('interrupt'));
          return method(...parameters);
        };
      case 'streamInput':
        return (prompts, ...rest) => method(tapPrompts(prompts, this.#watch, this.#guard), ...rest);
      default:
        return method;
    }
  }

  #next(method: Method): Method {
    const saw = (result: IteratorResult<unknown>): IteratorResult<unknown> => {
      this.#saw(result);
      return result;
    };
    const failed = (error: unknown): never => {
      this.#over('error', errorOf(error));
      throw error;
    };
    return (...parameters) => (method(...parameters) as Promise<IteratorResult<unknown>>).then(saw, failed);
  }

  #nextVisible(method: Method, isHidden: (message: unknown) => boolean): Method {
    const pull = this.#next(method) as () => Promise<IteratorResult<unknown>>;
    return () => {
      const visible = this.#previous.then(async () => {
        for (;;) {
          const result = await pull();
          if (result.done === true || this.#guard('message', () => isHidden(result.value)) !== true) return result;
        }
      });
      this.#previous = visible.catch(() => undefined);
      return visible;
    };
  }

  #leaving(by: 'return' | 'throw' | 'close', method: Method): Method {
    return (...parameters) => {
      this.#over(by);
      return method(...parameters);
    };
  }

  #saw(result: IteratorResult<unknown>): void {
    if (result.done === true) this.#over('done');
    else this.#guard('message', () => this.#watch.message(result.value));
  }

  #over(by: QueryEnded['by'], error?: SpanError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#guard('query end', () => this.#watch.ended(by, error));
  }
}

function errorOf(error: unknown): SpanError {
  const fields = fieldsOf(error);
  return { type: stringIn(fields, 'name') ?? 'Error', message: stringIn(fields, 'message') ?? String(error) };
}
