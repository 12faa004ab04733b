import type { QueryEnded } from '../../model/observation.ts';
import type { SpanError } from '../../model/span.ts';
import { fieldsOf, stringIn } from './guards.ts';
import type { Guard, QueryWatch } from './query-watch.ts';
import { standIn } from './stand-in.ts';
import { tapPrompts } from './tap-prompts.ts';
import { WRAPPED } from './wrapped.ts';

type Method = (...parameters: unknown[]) => unknown;

/** The query itself with every member it has or will ever have; only the doors through which messages and endings pass are watched. */
export function watchQuery(query: AsyncIterable<unknown>, watch: QueryWatch, guard: Guard): AsyncIterable<unknown> {
  const doors = new Doors(watch, guard);
  const known: Map<PropertyKey, { readonly raw: unknown; readonly value: unknown }> = new Map();
  const watched: AsyncIterable<unknown> = standIn(query, (name) => {
    if (name === WRAPPED) return { value: true };
    const raw: unknown = Reflect.get(query, name, query);
    if (typeof raw !== 'function' || name === 'constructor') return undefined;
    const before = known.get(name);
    if (before?.raw === raw) return before;
    const member = {
      raw,
      value:
        name === Symbol.asyncIterator ? iteratorOf(raw as Method) : doors.watched(name, boundTo(query, raw as Method)),
    };
    known.set(name, member);
    return member;
  });
  return watched;

  function iteratorOf(method: Method): Method {
    return () => {
      const iterator = Reflect.apply(method, query, []) as AsyncIterable<unknown>;
      return iterator === query ? watched : watchQuery(iterator, watch, guard);
    };
  }
}

/** The real object keeps private state: its members must be called on it. What else they carry shows through. */
function boundTo(query: object, method: Method): Method {
  return Object.setPrototypeOf(method.bind(query), method) as Method;
}

class Doors {
  readonly #watch: QueryWatch;
  readonly #guard: Guard;
  #isOver = false;
  /** Where messages are held back, a second `next()` must not overtake the first. */
  #isPulling = false;
  readonly #waiting: (() => void)[] = [];

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
    const saw = (result: unknown): unknown => {
      this.#saw(result);
      return result;
    };
    const failed = (error: unknown): never => {
      this.#over('error', errorOf(error));
      throw error;
    };
    return (...parameters) => {
      const result = method(...parameters);
      return result instanceof Promise ? result.then(saw, failed) : saw(result);
    };
  }

  /** As `#next`, pulling on while what comes is hidden. The promise handed out is the one that may reject: nobody but the consumer handles it. */
  #nextVisible(method: Method, isHidden: (message: unknown) => boolean): Method {
    const isShown = (result: unknown): boolean => {
      this.#saw(result);
      const fields = fieldsOf(result);
      return fields?.['done'] === true || this.#guard('message', () => isHidden(fields?.['value'])) !== true;
    };
    const failed = (error: unknown): never => {
      this.#over('error', errorOf(error));
      this.#pulled();
      throw error;
    };
    const shown = (result: unknown): unknown => {
      if (!isShown(result)) return pullOn().catch(failed);
      this.#pulled();
      return result;
    };
    const pullOn = async (): Promise<unknown> => {
      for (;;) {
        const result = await method();
        if (!isShown(result)) continue;
        this.#pulled();
        return result;
      }
    };
    const pull = (parameters: readonly unknown[]): Promise<unknown> => {
      this.#isPulling = true;
      try {
        const result = method(...parameters);
        return (result instanceof Promise ? result : Promise.resolve(result)).then(shown, failed);
      } catch (error) {
        this.#pulled();
        throw error;
      }
    };
    return (...parameters) => {
      if (!this.#isPulling) return pull(parameters);
      return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => pull(parameters));
    };
  }

  /** The turn goes to who has waited longest, so that nobody who comes now gets in before him. */
  #pulled(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isPulling = false;
    else next();
  }

  #leaving(by: 'return' | 'throw' | 'close', method: Method): Method {
    return (...parameters) => {
      this.#over(by);
      return method(...parameters);
    };
  }

  #saw(result: unknown): void {
    const fields = fieldsOf(result);
    if (fields === undefined) return;
    if (fields['done'] === true) {
      this.#over('done');
      return;
    }
    // Not within the guard: of what is done for every message, a function of its own for each is a good part.
    try {
      this.#watch.message(fields['value']);
    } catch (error) {
      this.#guard('message', () => {
        throw error;
      });
    }
  }

  #over(by: QueryEnded['by'], error?: SpanError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#guard('query end', () => this.#watch.ended(by, error));
  }
}

/** What of a thrown value a span can carry. */
export function errorOf(error: unknown): SpanError {
  const fields = fieldsOf(error);
  return { type: stringIn(fields, 'name') ?? 'Error', message: stringIn(fields, 'message') ?? String(error) };
}
