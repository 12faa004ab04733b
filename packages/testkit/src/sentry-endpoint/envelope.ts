import { asArray, asObject, isObject, type JsonObject, parseJson } from '../json.ts';

/** One item of an envelope; what is no JSON (an attachment) has its bytes as text. */
export interface SentryItem {
  readonly type: string;
  readonly headers: JsonObject;
  readonly payload: unknown;
}

/** What one request carries: https://develop.sentry.dev/sdk/data-model/envelopes/. */
export interface SentryEnvelope {
  readonly headers: JsonObject;
  readonly items: readonly SentryItem[];
}

/** A span as Sentry knows it, whether it came with a transaction or on its own. */
export interface SentrySpanRow {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly op: string;
  readonly origin: string;
  /** `ok`, or with transactions the name of what went wrong; with spans on their own `ok` or `error`. */
  readonly status: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Whether it is the root of a transaction or segment. */
  readonly isSegment: boolean;
  /** Of a transaction itself, in place of an item of spans. */
  readonly isTransaction: boolean;
  readonly attributes: JsonObject;
}

/** Reads an envelope: JSON headers, then items of a header line and a payload, whose length the header may tell. */
export function parseEnvelope(body: Buffer): SentryEnvelope {
  let at = 0;
  const take = (length: number | undefined): Buffer => {
    const newline = body.indexOf(10, at);
    const end = length === undefined ? (newline === -1 ? body.length : newline) : at + length;
    const piece = body.subarray(at, end);
    at = end + 1;
    return piece;
  };
  const headers = objectOf(take(undefined));
  const items: SentryItem[] = [];
  while (at < body.length) {
    const item = objectOf(take(undefined));
    const { type, length } = item;
    const payload = take(typeof length === 'number' ? length : undefined);
    items.push({ type: String(type), headers: item, payload: valueOf(payload) });
  }
  return { headers, items };
}

/** The spans of an envelope, of both of Sentry's forms. */
export function spansOf({ items }: SentryEnvelope): readonly SentrySpanRow[] {
  return items.flatMap(({ type, payload }) => {
    if (!isObject(payload)) return [];
    if (type === 'transaction') return transactionRows(payload);
    return type === 'span' ? asArray(payload['items']).filter(isObject).map(streamedRow) : [];
  });
}

/** https://develop.sentry.dev/sdk/data-model/event-payloads/transaction/ */
function transactionRows(event: JsonObject): readonly SentrySpanRow[] {
  const trace = asObject(asObject(event['contexts'])['trace']);
  const { start_timestamp, timestamp, transaction } = event;
  const root = staticRow({ ...trace, start_timestamp, timestamp, description: transaction });
  const children = asArray(event['spans']).filter(isObject);
  return [{ ...root, isSegment: true, isTransaction: true }, ...children.map(staticRow)];
}

function staticRow(span: JsonObject): SentrySpanRow {
  const { parent_span_id } = span;
  return {
    traceId: String(span['trace_id']),
    spanId: String(span['span_id']),
    ...(typeof parent_span_id === 'string' ? { parentSpanId: parent_span_id } : {}),
    name: String(span['description']),
    op: String(span['op'] ?? ''),
    origin: String(span['origin'] ?? ''),
    status: String(span['status'] ?? 'ok'),
    startedAt: Number(span['start_timestamp']),
    endedAt: Number(span['timestamp']),
    isSegment: false,
    isTransaction: false,
    attributes: asObject(span['data']),
  };
}

/** https://develop.sentry.dev/sdk/telemetry/spans/span-protocol/ */
function streamedRow(span: JsonObject): SentrySpanRow {
  const { parent_span_id } = span;
  const typed = Object.entries(asObject(span['attributes']));
  const attributes = Object.fromEntries(typed.map(([key, attribute]) => [key, asObject(attribute)['value']]));
  return {
    traceId: String(span['trace_id']),
    spanId: String(span['span_id']),
    ...(typeof parent_span_id === 'string' ? { parentSpanId: parent_span_id } : {}),
    name: String(span['name']),
    op: String(attributes['sentry.op'] ?? ''),
    origin: String(attributes['sentry.origin'] ?? ''),
    status: String(span['status']),
    startedAt: Number(span['start_timestamp']),
    endedAt: Number(span['end_timestamp']),
    isSegment: span['is_segment'] === true,
    isTransaction: false,
    attributes,
  };
}

function valueOf(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  return parseJson(text) ?? text;
}

function objectOf(bytes: Buffer): JsonObject {
  return asObject(valueOf(bytes));
}
