import { NO_ATTRIBUTES } from './attributes.ts';
import { OtlpDecodeError } from './error.ts';
import { setCount, setText, setTime } from './fields.ts';
import type { Mutable } from './fields.ts';
import { readAttributes, readValue } from './json-attributes.ts';
import { JsonCursor } from './json-cursor.ts';
import type { JsonObject } from './json-cursor.ts';
import { readMetric } from './json-metrics.ts';
import type {
  OtlpEvent,
  OtlpGroup,
  OtlpLink,
  OtlpLog,
  OtlpRequest,
  OtlpScope,
  OtlpSignal,
  OtlpSpan,
} from '../records.ts';

/** Reads an Export…ServiceRequest in OTLP/JSON: protobuf's JSON mapping with hex ids and integer enums. */
export function decodeJson(signal: OtlpSignal, body: Uint8Array): OtlpRequest {
  const request = parseObject(body);
  switch (signal) {
    case 'traces':
      return { signal, groups: readGroups(request, ['resourceSpans', 'scopeSpans', 'spans'], readSpan) };
    case 'logs':
      return { signal, groups: readGroups(request, ['resourceLogs', 'scopeLogs', 'logRecords'], readLog) };
    case 'metrics':
      return { signal, groups: readGroups(request, ['resourceMetrics', 'scopeMetrics', 'metrics'], readMetric) };
  }
}

/** Parses a body that must be one JSON object. */
export function parseObject(body: Uint8Array): JsonObject {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold a prompt.
    throw new OtlpDecodeError('invalid_json', `OTLP JSON: ${body.byteLength} bytes that are not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new OtlpDecodeError('invalid_field', 'OTLP JSON: $ must be an object');
  }
  return parsed as JsonObject;
}

type Read<T> = (item: JsonObject, cursor: JsonCursor) => T;
type ListNames = readonly [resources: string, scopes: string, records: string];

function readGroups<R>(request: JsonObject, names: ListNames, readRecord: Read<R>): OtlpGroup<R>[] {
  const [resourceList, scopeList, recordList] = names;
  const readScoped: Read<Pick<OtlpGroup<R>, 'scope' | 'records'>> = (item, cursor) => ({
    scope: cursor.object(item, 'scope', readScope) ?? { name: '' },
    records: cursor.list(item, recordList, readRecord),
  });
  const readResource: Read<OtlpGroup<R>[]> = (item, cursor) => {
    const resource = cursor.object(item, 'resource', readAttributes) ?? NO_ATTRIBUTES;
    return cursor.list(item, scopeList, readScoped).map(({ scope, records }) => ({ resource, scope, records }));
  };
  return new JsonCursor().list(request, resourceList, readResource).flat();
}

function readScope(item: JsonObject, cursor: JsonCursor): OtlpScope {
  const scope: Mutable<OtlpScope> = { name: cursor.text(item, 'name') };
  setText(scope, 'version', cursor.text(item, 'version'));
  return scope;
}

function readSpan(item: JsonObject, cursor: JsonCursor): OtlpSpan {
  const span: Mutable<OtlpSpan> = {
    traceId: cursor.id(item, 'traceId', 16),
    spanId: cursor.id(item, 'spanId', 8),
    name: cursor.text(item, 'name'),
    kind: cursor.int32(item, 'kind'),
    startedAt: cursor.uint64(item, 'startTimeUnixNano'),
    endedAt: cursor.uint64(item, 'endTimeUnixNano'),
    attributes: readAttributes(item, cursor),
    events: cursor.list(item, 'events', readEvent),
    links: cursor.list(item, 'links', readLink),
    status: cursor.object(item, 'status', readStatus) ?? { code: 0 },
  };
  setText(span, 'parentSpanId', cursor.id(item, 'parentSpanId', 8));
  setText(span, 'traceState', cursor.text(item, 'traceState'));
  setCount(span, 'flags', cursor.int32(item, 'flags'));
  setCount(span, 'droppedAttributes', cursor.int32(item, 'droppedAttributesCount'));
  return span;
}

function readEvent(item: JsonObject, cursor: JsonCursor): OtlpEvent {
  return {
    name: cursor.text(item, 'name'),
    at: cursor.uint64(item, 'timeUnixNano'),
    attributes: readAttributes(item, cursor),
  };
}

function readLink(item: JsonObject, cursor: JsonCursor): OtlpLink {
  return {
    traceId: cursor.id(item, 'traceId', 16),
    spanId: cursor.id(item, 'spanId', 8),
    attributes: readAttributes(item, cursor),
  };
}

function readStatus(item: JsonObject, cursor: JsonCursor): OtlpSpan['status'] {
  const status: Mutable<OtlpSpan['status']> = { code: cursor.int32(item, 'code') };
  setText(status, 'message', cursor.text(item, 'message'));
  return status;
}

function readLog(item: JsonObject, cursor: JsonCursor): OtlpLog {
  const log: Mutable<OtlpLog> = {
    at: cursor.uint64(item, 'timeUnixNano'),
    attributes: readAttributes(item, cursor),
  };
  const body = cursor.object(item, 'body', readValue);
  if (body !== undefined) log.body = body;
  setTime(log, 'observedAt', cursor.uint64(item, 'observedTimeUnixNano'));
  setCount(log, 'severity', cursor.int32(item, 'severityNumber'));
  setText(log, 'severityText', cursor.text(item, 'severityText'));
  setText(log, 'eventName', cursor.text(item, 'eventName'));
  setText(log, 'traceId', cursor.id(item, 'traceId', 16));
  setText(log, 'spanId', cursor.id(item, 'spanId', 8));
  return log;
}
