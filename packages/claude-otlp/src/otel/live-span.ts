import { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, HrTime, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import type { CapturedSpan, SpanId, TraceContext, TraceId, UnixNano } from '@spanprism/core';
import type { Dialect, DialectAttributes, DialectValue } from '../dialect.ts';
import { SEMCONV as S } from '../genai/semconv.ts';

const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;
const STATUS = { ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const;

/** What the conventions want samplers to know. The rest waits for the end, when it is final. */
const AT_START: readonly string[] = [
  S.ATTR_GEN_AI_OPERATION_NAME,
  S.ATTR_GEN_AI_PROVIDER_NAME,
  S.ATTR_GEN_AI_REQUEST_MODEL,
  S.ATTR_GEN_AI_AGENT_NAME,
  S.ATTR_GEN_AI_TOOL_NAME,
];

interface Start {
  readonly dialect: Dialect;
  readonly parent: Context;
}

export function startSpan(tracer: Tracer, span: CapturedSpan, { dialect, parent }: Start): OtelSpan {
  const options = {
    kind: KINDS[dialect.spanKind(span)],
    startTime: hrTime(span.startedAt),
    attributes: startAttributes(dialect.attributes(span)),
  };
  return tracer.startSpan(dialect.spanName(span), options, parent);
}

/** What has begun, and when it was said to. */
interface Begun {
  readonly span: OtelSpan;
  readonly startedAt: UnixNano;
}

interface Finish {
  readonly dialect: Dialect;
  /** Finds the OpenTelemetry context of a span of ours. */
  readonly contextOf: (spanId: SpanId) => Context | undefined;
}

/** Everything that the end knows, then the end itself. */
export function finishSpan({ span: live, startedAt }: Begun, span: CapturedSpan, { dialect, contextOf }: Finish): void {
  live.updateName(dialect.spanName(span));
  live.setAttributes(mutable(dialect.attributes(span)));
  // Another live sink opened the trace: its name for it, so that one can be found from the other.
  if (live.spanContext().traceId !== span.traceId) live.setAttribute('claude.trace_id', span.traceId);
  for (const { name, at, attributes } of dialect.events(span)) live.addEvent(name, mutable(attributes), hrTime(at));
  // Here rather than at the start: a tool may begin before the call that asked for it has ended.
  for (const { spanId, attributes } of dialect.links(span)) {
    const target = trace.getSpanContext(contextOf(spanId) ?? ROOT_CONTEXT);
    if (target !== undefined) live.addLink({ context: target, attributes: mutable(attributes) });
  }
  const { code, message } = dialect.status(span);
  if (code !== 'unset') live.setStatus({ code: STATUS[code], ...(message === undefined ? {} : { message }) });
  const endedAt = span.endedAt ?? span.startedAt;
  live.end(hrTime(endedAt < startedAt ? startedAt : endedAt));
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

function startAttributes(attributes: DialectAttributes): Attributes {
  const early: Record<string, Attributes[string]> = {};
  for (const key of AT_START) {
    const value = attributes[key];
    if (value !== undefined) early[key] = mutableValue(value);
  }
  return early;
}

/** OpenTelemetry's types want arrays that may change, and never change them. */
function mutable(attributes: DialectAttributes): Attributes {
  const copy: Record<string, Attributes[string]> = {};
  for (const [key, value] of Object.entries(attributes)) copy[key] = mutableValue(value);
  return copy;
}

function mutableValue(value: DialectValue): Attributes[string] {
  return typeof value === 'object' ? ([...value] as string[] | number[] | boolean[]) : value;
}
