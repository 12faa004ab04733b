import { applyCapture } from '../capture/apply-capture.ts';
import type { CapturePolicy } from '../capture/policy.ts';
import type { SpanId, TraceContext } from '../model/ids.ts';
import type { CapturedSpan, MetricPoint, Sink, SinkStats } from '../model/sink.ts';
import type { Span } from '../model/span.ts';
import type { Guarded } from './guard.ts';

/** A sink and what it may see. */
export interface Route {
  readonly sink: Sink;
  readonly policy: CapturePolicy;
}

/** Hands every span to every sink, each through its own policy; one that fails costs the others nothing. */
export class FanOut {
  readonly #routes: readonly (Route & { readonly spanEnd: string })[];
  /** Those that hear of starts. One that lives in the host's tracing may open the trace, and the others are to be told of that one. */
  readonly #starters: readonly Route[];
  readonly #guarded: Guarded;
  readonly hearsStarts: boolean;
  /** Counts up with whatever sinks are handed to deliver. */
  handed = 0;

  constructor(routes: readonly Route[], guarded: Guarded) {
    this.#routes = routes.map((route) => ({ ...route, spanEnd: `${route.sink.name}.spanEnd` }));
    this.#guarded = guarded;
    const starters = this.#routes.filter(({ sink }) => sink.spanStart !== undefined);
    this.#starters = starters.toSorted((a, b) => Number(isOfHost(b.sink)) - Number(isOfHost(a.sink)));
    this.hearsStarts = starters.length > 0;
  }

  start(span: Span): TraceContext | undefined {
    let opened: TraceContext | undefined;
    if (!this.hearsStarts) return undefined;
    const views = new Views(span);
    for (const route of this.#starters) {
      const { sink } = route;
      const context = this.#guarded.runDetached(`${sink.name}.spanStart`, () => {
        // A later sink is told of the trace that the first one opened.
        const known =
          opened === undefined || span.parentSpanId !== undefined ? span : { ...span, traceId: opened.traceId };
        return sink.spanStart?.(known === span ? views.under(route.policy) : applyCapture(known, route.policy));
      });
      if (!(context instanceof Promise)) opened ??= context as TraceContext | undefined;
    }
    return opened;
  }

  end(span: Span): void {
    this.handed += 1;
    const views = new Views(span);
    for (const { sink, policy, spanEnd } of this.#routes) {
      // As `runDetached`, without a function for each span and sink.
      try {
        this.#guarded.detached(spanEnd, sink.spanEnd(views.under(policy)));
      } catch (error) {
        this.#guarded.caughtAt(spanEnd, error);
      }
    }
  }

  turnEnd(rootSpanId: SpanId): void {
    for (const { sink } of this.#routes) {
      if (sink.turnEnd !== undefined)
        this.#guarded.runDetached(`${sink.name}.turnEnd`, () => sink.turnEnd?.(rootSpanId));
    }
  }

  metrics(points: readonly MetricPoint[]): void {
    this.handed += 1;
    for (const { sink } of this.#routes) {
      if (sink.metrics !== undefined) this.#guarded.runDetached(`${sink.name}.metrics`, () => sink.metrics?.(points));
    }
  }

  /** What the first live sink says is active in the host. */
  ambient(): TraceContext | undefined {
    for (const { sink } of this.#routes) {
      if (sink.ambient === undefined) continue;
      const context = this.#guarded.run(`${sink.name}.ambient`, () => sink.ambient?.());
      if (context !== undefined) return context;
    }
    return undefined;
  }

  /** Runs user code inside a span in every sink that can. What the code throws is the user's; what a sink throws is not. */
  activate<T>(spanId: SpanId, run: () => T): T {
    return this.#routes.reduceRight<() => T>((inner, { sink }) => {
      if (sink.activate === undefined) return inner;
      return () => {
        let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
        this.#guarded.run(`${sink.name}.activate`, () =>
          sink.activate?.(spanId, () => {
            // A sink that runs it twice must not run the user's code twice.
            if (outcome !== undefined) return 'value' in outcome ? outcome.value : undefined;
            try {
              outcome = { value: inner() };
              return outcome.value;
            } catch (error) {
              outcome = { error };
              return undefined;
            }
          }),
        );
        outcome ??= { value: inner() };
        if ('error' in outcome) throw outcome.error;
        return outcome.value;
      };
    }, run)();
  }

  /** All sinks at once; rejects with every failure when all are done. */
  async each(what: 'flush' | 'close', deadlineMs: number): Promise<void> {
    const results = await Promise.allSettled(
      this.#routes.map(async ({ sink }) => withinDeadline(sink, what, deadlineMs)),
    );
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} sinks did not ${what}`);
  }

  persistSync(isFinal: boolean): void {
    for (const { sink } of this.#routes) {
      if (sink.persistSync !== undefined)
        this.#guarded.run(`${sink.name}.persistSync`, () => sink.persistSync?.(isFinal));
    }
  }

  stats(): Record<string, SinkStats> {
    const stats: Record<string, SinkStats> = {};
    for (const { sink } of this.#routes) {
      const own = this.#guarded.run(`${sink.name}.stats`, () => sink.stats?.());
      if (own !== undefined) stats[sink.name] = own;
    }
    return stats;
  }
}

function isOfHost({ ambient }: Sink): boolean {
  return ambient !== undefined;
}

/** A span as policies let it be seen: sinks with the same policy share one captured span. */
class Views {
  readonly #span: Span;
  #policy: CapturePolicy | undefined;
  #captured: CapturedSpan | undefined;
  /** Few have sinks with different policies. */
  #others: Map<CapturePolicy, CapturedSpan> | undefined;

  constructor(span: Span) {
    this.#span = span;
  }

  under(policy: CapturePolicy): CapturedSpan {
    const known = policy === this.#policy ? this.#captured : this.#others?.get(policy);
    if (known !== undefined) return known;
    const captured: CapturedSpan = applyCapture(this.#span, policy);
    if (this.#captured === undefined) {
      this.#policy = policy;
      this.#captured = captured;
    } else {
      this.#others ??= new Map();
      this.#others.set(policy, captured);
    }
    return captured;
  }
}

/** A sink that does not keep its own deadline is left behind. */
async function withinDeadline(sink: Sink, what: 'flush' | 'close', deadlineMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    // A little grace lets the sink's own, more telling error come first.
    timer = setTimeout(
      () => reject(new Error(`${sink.name} did not ${what} within ${deadlineMs} ms`)),
      deadlineMs + 50,
    );
  });
  try {
    await Promise.race([sink[what](deadlineMs), late]);
  } finally {
    clearTimeout(timer);
  }
}
