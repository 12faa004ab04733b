import { AsyncLocalStorage } from 'node:async_hooks';
import { given } from '../model/given.ts';
import type { IdSource, SpanId, SpanKey, TraceContext } from '../model/ids.ts';
import type { Attributes, CustomSpan } from '../model/span.ts';
import type { Clock } from '../model/time.ts';
import type { FanOut } from './fan-out.ts';

/** What surrounds the code that runs now. */
export interface Surroundings {
  readonly attributes: Attributes;
  /** The innermost `tracing.span`, or the tool call that the code answers. */
  readonly step?: TraceContext;
  /** What the host's own tracing has active for that step: another is a span that the user has begun inside. */
  readonly hostSpanId?: SpanId;
  /** What whoever began the step's trace decided, where that was not us. */
  readonly traceIsSampled?: boolean;
}

/** What the code that runs now stands under: a span of the host inside of the step is nearer than the step. */
export function innermost(
  { step, hostSpanId }: Surroundings,
  ambient: () => TraceContext | undefined,
): (TraceContext & { readonly isRemote: boolean }) | undefined {
  const active = ambient();
  if (active !== undefined && (step === undefined || active.spanId !== hostSpanId))
    return { ...active, isRemote: true };
  return step === undefined ? undefined : { ...step, isRemote: false };
}

export interface StepOptions {
  readonly fanOut: FanOut;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly attributes: Attributes;
  /** The context outside of all steps. */
  readonly outer: () => TraceContext | undefined;
}

/** The user's own steps and attributes, carried through his asynchronous code. */
export class Steps {
  readonly #options: StepOptions;
  readonly #storage: AsyncLocalStorage<Surroundings> = new AsyncLocalStorage();

  constructor(options: StepOptions) {
    this.#options = options;
  }

  get current(): Surroundings {
    return this.#storage.getStore() ?? { attributes: this.#options.attributes };
  }

  withAttributes<T>(attributes: Attributes, run: () => T): T {
    const { current } = this;
    return this.#storage.run({ ...current, attributes: { ...current.attributes, ...attributes } }, run);
  }

  /** Runs code inside a span, its own or another's: the user's steps, queries and spans nest there. */
  inside<T>(place: Required<Pick<Surroundings, 'step'>> & Pick<Surroundings, 'traceIsSampled'>, run: () => T): T {
    const { fanOut } = this.#options;
    const { step, traceIsSampled } = place;
    const { attributes } = this.current;
    return fanOut.activate(step.spanId, () => {
      const hostSpanId = fanOut.ambient()?.spanId;
      const around = { ...given('hostSpanId', hostSpanId), ...given('traceIsSampled', traceIsSampled) };
      return this.#storage.run({ attributes, step, ...around }, run);
    });
  }

  /** Runs a step inside a span of its own; the step's result and errors are its own. */
  span<T>(name: string, run: () => T): T {
    const { fanOut } = this.#options;
    const started = this.#start(name);
    const opened = fanOut.start(started);
    const span: CustomSpan =
      opened === undefined || started.parentSpanId !== undefined ? started : { ...started, traceId: opened.traceId };
    const step = { traceId: span.traceId, spanId: span.spanId, sampled: span.traceIsSampled !== false };
    const place = { step, ...given('traceIsSampled', span.traceIsSampled) };
    const end = (outcome: Pick<CustomSpan, 'status' | 'error'>): void => this.#end(span, outcome);
    return observeOutcome(() => this.inside(place, run), end);
  }

  #start(name: string): CustomSpan {
    const { fanOut, ids, clock, outer } = this.#options;
    const { attributes, traceIsSampled } = this.current;
    const near = innermost(this.current, () => fanOut.ambient());
    const parent = near ?? outer();
    const isOwn = near?.isRemote === false;
    const spanId = ids.spanId();
    return {
      kind: 'custom',
      name,
      key: `custom:${spanId}` as SpanKey,
      traceId: parent?.traceId ?? ids.traceId(),
      spanId,
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      ...(parent === undefined || isOwn ? {} : { parentIsRemote: true }),
      ...given('traceIsSampled', isOwn ? traceIsSampled : parent?.sampled),
      startedAt: clock.now(),
      status: 'ok',
      events: [],
      seenBy: ['sdk'],
      issues: [],
      attributes,
    };
  }

  #end(span: CustomSpan, outcome: Pick<CustomSpan, 'status' | 'error'>): void {
    const { fanOut, clock } = this.#options;
    const now = clock.now();
    fanOut.end({ ...span, ...outcome, endedAt: now > span.startedAt ? now : span.startedAt });
    const isRoot = span.parentSpanId === undefined || span.parentIsRemote === true;
    if (isRoot) fanOut.turnEnd(span.spanId as SpanId);
  }
}

/** Hands on what `run` returns or throws, now or later, untouched. */
function observeOutcome<T>(run: () => T, end: (outcome: Pick<CustomSpan, 'status' | 'error'>) => void): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    end(failed(error));
    throw error;
  }
  if (!(result instanceof Promise)) {
    end({ status: 'ok' });
    return result;
  }
  const observed = result.then(
    (value: unknown) => {
      end({ status: 'ok' });
      return value;
    },
    (error: unknown) => {
      end(failed(error));
      throw error;
    },
  );
  // A plain promise is as good as any that follows it, and a rejection that nobody handles stays one. A promise with members of
  // its own (a child process, say) has to be that very object.
  if (result.constructor === Promise && Reflect.ownKeys(result).length === 0) return observed as T;
  observed.catch(() => undefined);
  return result;
}

function failed(error: unknown): Pick<CustomSpan, 'status' | 'error'> {
  const isError = error instanceof Error;
  return {
    status: 'error',
    error: { type: isError ? error.name : 'Error', message: isError ? error.message : String(error) },
  };
}
