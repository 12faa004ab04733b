import { context, isSpanContextValid, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes, Context, Span as OtelSpan, Tracer } from '@opentelemetry/api';
import type { CapturedSpan } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import type { LiveTracer } from '@spanprism/core/live';
import { LateLinks } from './late-links.ts';
import { attributesOf, finishSpan, startSpan, traceContextOf } from './live-span.ts';

/** A tracer of OpenTelemetry's API, whatever SDK is behind it. */
export function otelLiveTracer(tracer: () => Tracer, dialect: Dialect): LiveTracer<OtelSpan, Context> {
  const lateLinks = new LateLinks();
  // Most spans begin no sooner than they end: what is said of them, content and all, is spelled once for both.
  let spelled: { readonly span: CapturedSpan; readonly attributes: Attributes } | undefined;
  const attributes = (span: CapturedSpan): Attributes => {
    if (spelled?.span !== span) spelled = { span, attributes: attributesOf(span, dialect) };
    return spelled.attributes;
  };
  return {
    parentSpanId: (span) => dialect.parentSpanId(span),
    rootPlace,
    begin: (span, parent) => startSpan(tracer(), span, { dialect, parent, attributes: attributes(span) }),
    placeBelow: (span, parent) => trace.setSpan(parent, span),
    finish: (begun, span, contextOf) => {
      finishSpan(begun, span, { dialect, contextOf, lateLinks, attributes: attributes(span) });
      spelled = undefined;
    },
    abandon: (span) => span.end(),
    traceContext: (span) => traceContextOf(span.spanContext()),
    loss,
    activate: (span, run) => context.with(trace.setSpan(context.active(), span), run),
    ambient: () => {
      const place = context.active();
      const spanContext = trace.getSpanContext(place);
      const known = spanContext === undefined ? undefined : traceContextOf(spanContext);
      return known === undefined ? undefined : { context: known, place };
    },
  };
}

/** A span of another process, which core knows by a `traceparent`; the host's sampler hears whether it was sampled. */
function rootPlace({ traceId, parentSpanId, parentIsRemote, traceIsSampled }: CapturedSpan): Context {
  if (parentSpanId === undefined || parentIsRemote !== true) return ROOT_CONTEXT;
  const traceFlags = traceIsSampled === false ? TraceFlags.NONE : TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags, isRemote: true });
}

function loss(span: OtelSpan): string | undefined {
  const spanContext = span.spanContext();
  const isSampled = (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0;
  if (isSampled && span.isRecording()) return undefined;
  // Without a provider the API hands out spans that record nothing, with the parent's context or none.
  return isSampled || !isSpanContextValid(spanContext) ? 'no_tracer_provider' : 'sampled_out';
}
