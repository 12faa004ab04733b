import * as Sentry from '@sentry/node';
import { type CapturedSpan, msFromUnixNano, type UnixNano } from '@spanprism/core';
import type { Piece } from './pieces.ts';

/** Where a span of Sentry's begins, and the scopes of the code that asked for the run: its user, its tags. */
export type Place = { readonly scope: Sentry.Scope; readonly isolation: Sentry.Scope } & (
  | { readonly kind: 'trace'; readonly traceId: string }
  | { readonly kind: 'remote'; readonly sentryTrace: string }
  | { readonly kind: 'host'; readonly span: Sentry.Span }
  | { readonly kind: 'piece'; readonly piece: Piece }
);

export type SpanOptions = Parameters<typeof Sentry.startInactiveSpan>[0];

export function hostPlace(span: Sentry.Span): Place {
  return { kind: 'host', span, scope: Sentry.getCurrentScope(), isolation: Sentry.getIsolationScope() };
}

/** A root of ours, or a span of another process that core knows by a `traceparent`. */
export function outerPlace({ traceId, parentSpanId, parentIsRemote, traceIsSampled }: CapturedSpan): Place {
  const scopes = { scope: Sentry.getCurrentScope(), isolation: Sentry.getIsolationScope() };
  if (parentSpanId === undefined || parentIsRemote !== true) return { kind: 'trace', traceId, ...scopes };
  const decision = traceIsSampled === undefined ? '' : `-${Number(traceIsSampled)}`;
  return { kind: 'remote', sentryTrace: `${traceId}-${parentSpanId}${decision}`, ...scopes };
}

export function withScopesOf<T>({ scope, isolation }: Place, run: () => T): T {
  return Sentry.withIsolationScope(isolation, () => Sentry.withScope(scope, run));
}

export function startTrace(traceId: string, options: SpanOptions): Sentry.Span {
  return Sentry.startNewTrace(() => {
    const scope = Sentry.getCurrentScope();
    // Version 11 takes the id, so that the trace is the same for every sink; 10 mints its own, and core is told of that one.
    scope.setPropagationContext({ ...scope.getPropagationContext(), traceId });
    return Sentry.startInactiveSpan({ ...options, parentSpan: null });
  });
}

/** Below a span of another process, or one whose transaction has been sent: the root of a transaction in the same trace. */
export function startAfter(sentryTrace: string, options: SpanOptions, baggage?: string): Sentry.Span {
  return Sentry.continueTrace({ sentryTrace, baggage }, () => Sentry.startInactiveSpan(options));
}

export function startBelow(parent: Sentry.Span, options: SpanOptions): Sentry.Span {
  const isSent = !isStreaming() && isSampled(parent) && !Sentry.getRootSpan(parent).isRecording();
  if (!isSent) return Sentry.startInactiveSpan({ ...options, parentSpan: parent });
  return startAfter(Sentry.spanToTraceHeader(parent), options, Sentry.spanToBaggageHeader(parent));
}

/** As Sentry takes times. */
export function seconds(time: UnixNano): number {
  return msFromUnixNano(time) / 1000;
}

export function isStreaming(): boolean {
  return Sentry.getClient()?.getOptions().traceLifecycle === 'stream';
}

export function isSampled(span: Sentry.Span): boolean {
  return (span.spanContext().traceFlags & 1) === 1;
}

/** Spans go nowhere without a client, or with one that was not asked to trace. */
export function whyNotTracing(): 'no_client' | 'tracing_disabled' | undefined {
  const options = Sentry.getClient()?.getOptions();
  if (options === undefined || options.enabled === false) return 'no_client';
  const isTracing = typeof options.tracesSampleRate === 'number' || options.tracesSampler !== undefined;
  return isTracing ? undefined : 'tracing_disabled';
}
