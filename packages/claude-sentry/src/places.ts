import * as Sentry from '@sentry/node';
import type { CapturedSpan } from '@spanprism/core';

type SpanOptions = Parameters<typeof Sentry.startInactiveSpan>[0];

/** Where a span of Sentry's begins; `P` is a span of ours. */
export interface Place<P> {
  readonly start: (options: SpanOptions) => Sentry.Span;
  /** Runs in the scopes of the code that asked for the run: with its user, its tags. */
  readonly within: <T>(run: () => T) => T;
  /** What it is below. */
  readonly piece?: P;
}

export function withinScopes(): Place<never>['within'] {
  const [scope, isolation] = [Sentry.getCurrentScope(), Sentry.getIsolationScope()];
  return (run) => Sentry.withIsolationScope(isolation, () => Sentry.withScope(scope, run));
}

/** A root of ours, or a span of another process that core knows by a `traceparent`. */
export function outerPlace({ traceId, parentSpanId, parentIsRemote, traceIsSampled }: CapturedSpan): Place<never> {
  const within = withinScopes();
  if (parentSpanId === undefined || parentIsRemote !== true) return { start: startTrace(traceId), within };
  const decision = traceIsSampled === undefined ? '' : `-${Number(traceIsSampled)}`;
  return { start: (options) => startAfter(`${traceId}-${parentSpanId}${decision}`, undefined, options), within };
}

export function startBelow(parent: Sentry.Span, options: SpanOptions): Sentry.Span {
  const isSent = !isStreaming() && isSampled(parent) && !Sentry.getRootSpan(parent).isRecording();
  if (!isSent) return Sentry.startInactiveSpan({ ...options, parentSpan: parent });
  return startAfter(Sentry.spanToTraceHeader(parent), Sentry.spanToBaggageHeader(parent), options);
}

/** Below a span of another process, or one whose transaction has been sent: the root of a transaction in the same trace. */
function startAfter(sentryTrace: string, baggage: string | undefined, options: SpanOptions): Sentry.Span {
  return Sentry.continueTrace({ sentryTrace, baggage }, () => Sentry.startInactiveSpan(options));
}

function startTrace(traceId: string): Place<never>['start'] {
  return (options) =>
    Sentry.startNewTrace(() => {
      const scope = Sentry.getCurrentScope();
      // Version 11 takes the id, so that the trace is the same for every sink; 10 mints its own, and core is told of that one.
      scope.setPropagationContext({ ...scope.getPropagationContext(), traceId });
      return Sentry.startInactiveSpan({ ...options, parentSpan: null });
    });
}

export const isStreaming = (): boolean => Sentry.getClient()?.getOptions().traceLifecycle === 'stream';
export const isSampled = (span: Sentry.Span): boolean => (span.spanContext().traceFlags & 1) === 1;

/** Spans go nowhere without a client, or with one that was not asked to trace. */
export function whyNotTracing(): 'no_client' | 'tracing_disabled' | undefined {
  const options = Sentry.getClient()?.getOptions();
  if (options === undefined || options.enabled === false) return 'no_client';
  return (options.tracesSampleRate ?? options.tracesSampler) === undefined ? 'tracing_disabled' : undefined;
}
