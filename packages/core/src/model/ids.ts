declare const brand: unique symbol;

/** 32 lowercase hex digits, never all zero. */
export type TraceId = string & { readonly [brand]: 'TraceId' };
/** 16 lowercase hex digits, never all zero. */
export type SpanId = string & { readonly [brand]: 'SpanId' };
/**
 * What "the same span" means, whatever source or process saw it: built from ids that Anthropic minted
 * (`llm:req_…`, `tool:req_…/toolu_…`, `turn:<uuid>`, `agent:<agent_id>`), never from a session, prompt id or counter.
 */
export type SpanKey = string & { readonly [brand]: 'SpanKey' };

/** A place in a trace, as W3C Trace Context carries it. */
export interface TraceContext {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly sampled: boolean;
  readonly traceState?: string;
}

/** Where new ids come from; live runs use random ones. */
export interface IdSource {
  /** `name` is Anthropic's id of what the trace is of, where it has one. */
  traceId(name?: string): TraceId;
  /** `name` is Anthropic's id of what the span is of, where it has one; `within` that of the message which it belongs to. */
  spanId(name?: string, within?: string): SpanId;
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

export function isTraceId(text: string): text is TraceId {
  return TRACE_ID.test(text);
}

export function isSpanId(text: string): text is SpanId {
  return SPAN_ID.test(text);
}

/** Reads a `traceparent` header or `TRACEPARENT` variable; undefined when it is not a valid one (W3C Trace Context §3.2). */
export function parseTraceparent(text: string | undefined, traceState?: string): TraceContext | undefined {
  const match = TRACEPARENT.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, ...(traceState ? { traceState } : {}) };
}

/** Writes the `traceparent` of a context. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`;
}

/** Random ids from `fill`, which fills the bytes it is given (by default `crypto.getRandomValues`). */
export function randomIds(fill: (bytes: Uint8Array) => unknown = fillRandom): IdSource {
  // One refill serves 128 span ids: asking the system for eight bytes at a time costs more than the rest of a span.
  const pool = Buffer.allocUnsafe(1024);
  let hex = '';
  let used = 0;
  const take = (digits: number): string => {
    for (;;) {
      if (used + digits > hex.length) {
        fill(pool);
        hex = pool.toString('hex');
        used = 0;
      }
      const id = hex.slice(used, (used += digits));
      if (id.charCodeAt(0) !== ZERO || !/^0+$/.test(id)) return id;
    }
  };
  return { traceId: () => take(32) as TraceId, spanId: () => take(16) as SpanId };
}

const ZERO = 48;

function fillRandom(bytes: Uint8Array): void {
  globalThis.crypto.getRandomValues(bytes);
}
