import { NO_ATTRIBUTES, readAttribute, readValue } from './attributes.ts';
import { setCount, setText, setTime } from './fields.ts';
import type { Mutable } from './fields.ts';
import { readMetric } from './protobuf-metrics.ts';
import { ProtobufReader } from './reader.ts';
import type { WantedKeys } from './wanted-keys.ts';
import type {
  OtlpAttributes,
  OtlpEvent,
  OtlpGroup,
  OtlpLink,
  OtlpLog,
  OtlpRequest,
  OtlpScope,
  OtlpSignal,
  OtlpSpan,
} from '../records.ts';

// The cases below are tags as opentelemetry-proto 1.x assigns them: field number × 8 + wire type. A known field with another
// wire type is an unknown field, as protobuf has it.

/** Reads an Export…ServiceRequest; of spans and log records, only attributes that are wanted, where that is said. */
export function decodeProtobuf(signal: OtlpSignal, body: Uint8Array, wanted?: WantedKeys): OtlpRequest {
  switch (signal) {
    case 'traces':
      return { signal, groups: readGroups(new ProtobufReader(body, wanted), readSpan) };
    case 'logs':
      return { signal, groups: readGroups(new ProtobufReader(body, wanted), readLog) };
    case 'metrics':
      return { signal, groups: readGroups(new ProtobufReader(body), readMetric) };
  }
}

type Read<T> = (reader: ProtobufReader) => T;

/** The three requests have one shape: resources with scopes with records, in fields of the same numbers. */
function readGroups<R>(reader: ProtobufReader, readRecord: Read<R>): OtlpGroup<R>[] {
  const groups: OtlpGroup<R>[] = [];
  const readScope = (inner: ProtobufReader): ScopedRecords<R> => readScopedRecords(inner, readRecord);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 0x0a) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    for (const group of readResource(reader, readScope)) groups.push(group);
    reader.leave(outer);
  }
  return groups;
}

type ScopedRecords<R> = Pick<OtlpGroup<R>, 'scope' | 'records'>;

function readResource<R>(reader: ProtobufReader, readScope: Read<ScopedRecords<R>>): OtlpGroup<R>[] {
  let resource = NO_ATTRIBUTES;
  const scopes: ScopedRecords<R>[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) resource = reader.message(readResourceAttributes);
    else if (tag === 0x12) scopes.push(reader.message(readScope));
    else reader.skip(tag);
  }
  return scopes.map(({ scope, records }) => ({ resource, scope, records }));
}

function readResourceAttributes(reader: ProtobufReader): OtlpAttributes {
  let attributes = NO_ATTRIBUTES;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) attributes = readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  return attributes;
}

function readScopedRecords<R>(reader: ProtobufReader, readRecord: Read<R>): ScopedRecords<R> {
  let scope: OtlpScope = { name: '' };
  const records: R[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) scope = reader.message(readScopeName);
    else if (tag === 0x12) records.push(reader.message(readRecord));
    else reader.skip(tag);
  }
  return { scope, records };
}

function readScopeName(reader: ProtobufReader): OtlpScope {
  const scope: Mutable<OtlpScope> = { name: '' };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) scope.name = reader.string();
    else if (tag === 0x12) setText(scope, 'version', reader.string());
    else reader.skip(tag);
  }
  return scope;
}

function readSpan(reader: ProtobufReader): OtlpSpan {
  const events: OtlpEvent[] = [];
  const links: OtlpLink[] = [];
  const span: Mutable<OtlpSpan> = {
    traceId: '',
    spanId: '',
    name: '',
    kind: 0,
    startedAt: 0n,
    endedAt: 0n,
    attributes: NO_ATTRIBUTES,
    events,
    links,
    status: UNSET,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x4a) span.attributes = readAttribute(reader, span.attributes);
    else if (tag === 0x5a) events.push(reader.message(readEvent));
    else if (tag === 0x6a) links.push(reader.message(readLink));
    else readSpanField(reader, tag, span);
  }
  return span;
}

function readSpanField(reader: ProtobufReader, tag: number, span: Mutable<OtlpSpan>): void {
  switch (tag) {
    case 0x0a:
      span.traceId = reader.id(16);
      break;
    case 0x12:
      span.spanId = reader.id(8);
      break;
    case 0x1a:
      setText(span, 'traceState', reader.string());
      break;
    case 0x22:
      setText(span, 'parentSpanId', reader.id(8));
      break;
    case 0x2a:
      span.name = reader.string();
      break;
    case 0x30:
      span.kind = reader.int32();
      break;
    case 0x39:
      span.startedAt = reader.fixed64();
      break;
    case 0x41:
      span.endedAt = reader.fixed64();
      break;
    case 0x50:
      setCount(span, 'droppedAttributes', reader.uint32());
      break;
    case 0x7a:
      span.status = reader.message(readStatus);
      break;
    case 0x85:
      setCount(span, 'flags', reader.fixed32());
      break;
    default:
      reader.skip(tag);
  }
}

const UNSET: OtlpSpan['status'] = Object.freeze({ code: 0 });

function readEvent(reader: ProtobufReader): OtlpEvent {
  const event: Mutable<OtlpEvent> = { name: '', at: 0n, attributes: NO_ATTRIBUTES };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x09) event.at = reader.fixed64();
    else if (tag === 0x12) event.name = reader.string();
    else if (tag === 0x1a) event.attributes = readAttribute(reader, event.attributes);
    else reader.skip(tag);
  }
  return event;
}

function readLink(reader: ProtobufReader): OtlpLink {
  const link: Mutable<OtlpLink> = { traceId: '', spanId: '', attributes: NO_ATTRIBUTES };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) link.traceId = reader.id(16);
    else if (tag === 0x12) link.spanId = reader.id(8);
    else if (tag === 0x22) link.attributes = readAttribute(reader, link.attributes);
    else reader.skip(tag);
  }
  return link;
}

function readStatus(reader: ProtobufReader): OtlpSpan['status'] {
  const status: Mutable<OtlpSpan['status']> = { code: 0 };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x12) setText(status, 'message', reader.string());
    else if (tag === 0x18) status.code = reader.int32();
    else reader.skip(tag);
  }
  return status;
}

function readLog(reader: ProtobufReader): OtlpLog {
  const log: Mutable<OtlpLog> = { at: 0n, attributes: NO_ATTRIBUTES };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x09:
        log.at = reader.fixed64();
        break;
      case 0x10:
        setCount(log, 'severity', reader.int32());
        break;
      case 0x1a:
        setText(log, 'severityText', reader.string());
        break;
      case 0x2a:
        log.body = readValue(reader);
        break;
      case 0x32:
        log.attributes = readAttribute(reader, log.attributes);
        break;
      case 0x4a:
        setText(log, 'traceId', reader.id(16));
        break;
      case 0x52:
        setText(log, 'spanId', reader.id(8));
        break;
      case 0x59:
        setTime(log, 'observedAt', reader.fixed64());
        break;
      case 0x62:
        setText(log, 'eventName', reader.string());
        break;
      default:
        reader.skip(tag);
    }
  }
  return log;
}
