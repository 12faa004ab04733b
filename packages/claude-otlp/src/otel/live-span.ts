import { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, HrTime, Link, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import type { CapturedSpan, SpanId, TraceContext, TraceId, UnixNano } from '@spanprism/core';
import { SEMCONV as S } from '@spanprism/core/dialect';
import type {
  AttributeTaker,
  Dialect,
  DialectAttributes,
  DialectSpanKind,
  DialectValue,
} from '@spanprism/core/dialect';
import type { LateLinks } from './late-links.ts';

const KINDS: Readonly<Record<DialectSpanKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const STATUS = { ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const;

/** What the conventions want samplers to know. The rest waits for the end, when it is final. */
const AT_START: ReadonlySet<string> = new Set([
  S.ATTR_GEN_AI_OPERATION_NAME,
  S.ATTR_GEN_AI_PROVIDER_NAME,
  S.ATTR_GEN_AI_REQUEST_MODEL,
  S.ATTR_GEN_AI_AGENT_NAME,
  S.ATTR_GEN_AI_TOOL_NAME,
]);

interface Start {
  readonly dialect: Dialect;
  readonly attributes: Attributes;
  readonly parent: Context;
}

export function startSpan(tracer: Tracer, span: CapturedSpan, { dialect, attributes, parent }: Start): OtelSpan {
  const early = Object.entries(attributes).filter(([key]) => AT_START.has(key));
  const options = {
    kind: KINDS[dialect.spanKind(span)],
    startTime: hrTime(span.startedAt),
    attributes: Object.fromEntries(early),
  };
  return tracer.startSpan(dialect.spanName(span), options, parent);
}

/** What has begun, and when it was said to. */
interface Started {
  readonly span: OtelSpan;
  readonly startedAt: UnixNano;
}

interface Finish {
  readonly dialect: Dialect;
  readonly attributes: Attributes;
  /** Finds the OpenTelemetry context of a span of ours. */
  readonly contextOf: (spanId: SpanId) => Context | undefined;
  readonly lateLinks: LateLinks;
}

/** Everything that the end knows, then the end itself. */
export function finishSpan(
  { span: live, startedAt }: Started,
  span: CapturedSpan,
  { dialect, attributes: final, contextOf, lateLinks }: Finish,
): void {
  live.updateName(dialect.spanName(span));
  live.setAttributes(final);
  // Another live sink opened the trace: its name for it, so that one can be found from the other.
  if (live.spanContext().traceId !== span.traceId) live.setAttribute('claude.trace_id', span.traceId);
  for (const { name, at, attributes } of dialect.events(span)) live.addEvent(name, mutable(attributes), hrTime(at));
  const links: Link[] = lateLinks.take(span.spanId).map((context) => ({ context, attributes: LINKED_BACK }));
  // Here rather than at the start: a tool may begin before the call that asked for it has ended, and even end before it has begun.
  for (const { spanId, attributes } of dialect.links(span)) {
    const target = trace.getSpanContext(contextOf(spanId) ?? ROOT_CONTEXT);
    if (target === undefined) lateLinks.add(spanId, live.spanContext());
    else links.push({ context: target, attributes: mutable(attributes) });
  }
  addLinks(live, links);
  const { code, message } = dialect.status(span);
  if (code !== 'unset') live.setStatus({ code: STATUS[code], ...(message === undefined ? {} : { message }) });
  const endedAt = span.endedAt ?? span.startedAt;
  live.end(hrTime(endedAt < startedAt ? startedAt : endedAt));
}

const LINKED_BACK: Attributes = { 'claude.link': 'requested' };

// Spans of OpenTelemetry before API 1.9 take links with their start alone, when nobody knows of these yet.
function addLinks(live: OtelSpan, links: readonly Link[]): void {
  if (typeof live.addLink === 'function') for (const link of links) live.addLink(link);
  else if (links.length > 0) {
    live.setAttribute(
      'claude.linked_span_ids',
      links.map(({ context }) => context.spanId),
    );
  }
}

/** The context that a sink tells core of; undefined while nobody traces. */
export function traceContextOf(spanContext: SpanContext): TraceContext | undefined {
  if (!isSpanContextValid(spanContext)) return undefined;
  const traceState = spanContext.traceState?.serialize();
  return {
    traceId: spanContext.traceId as TraceId,
    spanId: spanContext.spanId as SpanId,
    sampled: (spanContext.traceFlags & 1) === 1,
    ...(traceState ? { traceState } : {}),
  };
}

const NANOS = 1_000_000_000n;

/** Exact to the nanosecond, which a number of milliseconds is not. */
export function hrTime(time: UnixNano): HrTime {
  return [Number(time / NANOS), Number(time % NANOS)];
}

/** As OpenTelemetry takes them. */
export function attributesOf(span: CapturedSpan, dialect: Dialect): Attributes {
  const attributes: Record<string, Attributes[string]> = {};
  const put: AttributeTaker['put'] = (key, value) => {
    if (value !== undefined) attributes[key] = mutableValue(value);
  };
  if (dialect.putAttributes !== undefined) dialect.putAttributes(span, { put });
  else for (const [key, value] of Object.entries(dialect.attributes(span))) put(key, value);
  return attributes;
}

/** OpenTelemetry's types want arrays that may change, and never changes them. */
function mutable(attributes: DialectAttributes): Attributes {
  const copy: Record<string, Attributes[string]> = {};
  for (const [key, value] of Object.entries(attributes)) copy[key] = mutableValue(value);
  return copy;
}

function mutableValue(value: DialectValue): Attributes[string] {
  return typeof value === 'object' ? ([...value] as string[] | number[] | boolean[]) : value;
}
