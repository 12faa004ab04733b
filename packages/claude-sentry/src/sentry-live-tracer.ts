import * as Sentry from '@sentry/node';
import type { SpanId, TraceContext, TraceId } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import type { LiveTracer } from '@spanprism/core/live';
import type { Piece, Pieces } from './pieces.ts';
import { hostPlace, isSampled, outerPlace, type Place } from './places.ts';

/** Sentry's span API as a tracer. */
export function sentryLiveTracer(dialect: Dialect, pieces: Pieces): LiveTracer<Piece, Place> {
  return {
    parentSpanId: (span) => dialect.parentSpanId(span),
    rootPlace: outerPlace,
    begin: (span, place) => pieces.begin(span, place),
    placeBelow: (piece, { scope, isolation }) => ({ kind: 'piece', piece, scope, isolation }),
    finish: ({ span: piece }, span, placeOf) => pieces.finish(piece, span, (spanId) => liveAt(placeOf(spanId))),
    // What is open is abandoned as a whole.
    abandon: () => undefined,
    traceContext: (piece) => (whyNotTracing() === undefined ? traceContextOf(pieces.liveOf(piece)) : undefined),
    loss: (piece) => whyNotTracing() ?? (pieces.isSampled(piece) ? undefined : 'sampled_out'),
    activate: (piece, run) => Sentry.withActiveSpan(pieces.liveOf(piece), run),
    ambient: () => {
      const span = whyNotTracing() === undefined ? Sentry.getActiveSpan() : undefined;
      return span && { context: traceContextOf(span), place: hostPlace(span) };
    },
  };
}

/** Spans go nowhere without a client, or with one that was not asked to trace. */
export function whyNotTracing(): 'no_client' | 'tracing_disabled' | undefined {
  const options = Sentry.getClient()?.getOptions();
  if (options === undefined || options.enabled === false) return 'no_client';
  const isTracing = typeof options.tracesSampleRate === 'number' || options.tracesSampler !== undefined;
  return isTracing ? undefined : 'tracing_disabled';
}

function liveAt(place: Place | undefined): Sentry.Span | undefined {
  if (place?.kind === 'piece') return place.piece.live;
  return place?.kind === 'host' ? place.span : undefined;
}

function traceContextOf(span: Sentry.Span): TraceContext {
  const { traceId, spanId } = span.spanContext();
  return { traceId: traceId as TraceId, spanId: spanId as SpanId, sampled: isSampled(span) };
}
