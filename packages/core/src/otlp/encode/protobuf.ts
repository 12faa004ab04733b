import type { OutgoingSpan } from './attribute-list.ts';
import { writeAttributes, writeValue } from './attributes.ts';
import { writeMetric } from './protobuf-metrics.ts';
import { ProtobufWriter, varintSize } from './writer.ts';
import type {
  OtlpAttributes,
  OtlpEvent,
  OtlpGroup,
  OtlpLink,
  OtlpLog,
  OtlpMetric,
  OtlpScope,
  OtlpSpan,
} from '../records.ts';

// Numbers beside the fields are tags as opentelemetry-proto 1.x assigns them: field number × 8 + wire type.
// Empty texts, zero counts and absent fields are not written; protobuf reads them back as what they are.

const RECORD_TAG = 0x12;

/** An ExportTraceServiceRequest. */
export function encodeTraces(groups: readonly OtlpGroup<OtlpSpan>[]): Uint8Array {
  return encoded((writer) => writeGroups(writer, groups, writeSpan));
}

/** An ExportLogsServiceRequest. */
export function encodeLogs(groups: readonly OtlpGroup<OtlpLog>[]): Uint8Array {
  return encoded((writer) => writeGroups(writer, groups, writeLog));
}

/** An ExportMetricsServiceRequest. A metric of type `other` keeps its name and has no points. */
export function encodeMetrics(groups: readonly OtlpGroup<OtlpMetric>[]): Uint8Array {
  return encoded((writer) => writeGroups(writer, groups, writeMetric));
}

/** One Span message, to be put into a request by `assembleTraces`. */
export function encodeSpan(span: OutgoingSpan): Uint8Array {
  return encoded((writer) => writeSpan(writer, span));
}

/** An ExportTraceServiceRequest of spans that `encodeSpan` has encoded. */
export function assembleTraces(
  resource: OtlpAttributes,
  scope: OtlpScope,
  encodedSpans: readonly Uint8Array[],
): Uint8Array {
  const resourceField = encoded((writer) => writeResource(writer, resource));
  const scopeField = encoded((writer) => writeScope(writer, scope));
  let spanBytes = 0;
  for (const span of encodedSpans) spanBytes += 1 + varintSize(span.length) + span.length;
  const scopeBytes = scopeField.length + spanBytes;
  const resourceBytes = resourceField.length + 1 + varintSize(scopeBytes) + scopeBytes;
  return encoded((writer) => {
    writer.expect(resourceBytes + 64);
    const resourceStart = writer.open(0x0a, resourceBytes);
    writer.raw(resourceField);
    const scopeStart = writer.open(0x12, scopeBytes);
    writer.raw(scopeField);
    for (const span of encodedSpans) writer.bytes(RECORD_TAG, span);
    writer.close(scopeStart, scopeBytes);
    writer.close(resourceStart, resourceBytes);
  });
}

/** The encoder's memory, which all calls share, as it takes longer to get new memory for a span than to encode it. */
const shared = new ProtobufWriter();

function encoded(write: (writer: ProtobufWriter) => void): Uint8Array {
  shared.begin();
  write(shared);
  return shared.finish();
}

type WriteRecord<R> = (writer: ProtobufWriter, record: R) => void;

function writeGroups<R>(writer: ProtobufWriter, groups: readonly OtlpGroup<R>[], writeRecord: WriteRecord<R>): void {
  for (const { resource, scope, records } of groups) {
    const expected = 0x4000;
    const resourceStart = writer.open(0x0a, expected);
    writeResource(writer, resource);
    const scopeStart = writer.open(0x12, expected);
    writeScope(writer, scope);
    // Records of a kind are of a size: what the last one took is the best guess for the next.
    let size = 0x80;
    records.forEach((record, index) => {
      const start = writer.open(RECORD_TAG, size);
      writeRecord(writer, record);
      size = writer.close(start, size);
      if (index === 0) writer.expect(size * records.length);
    });
    writer.close(scopeStart, expected);
    writer.close(resourceStart, expected);
  }
}

function writeResource(writer: ProtobufWriter, resource: OtlpAttributes): void {
  const start = writer.open(0x0a, 0x80);
  writeAttributes(writer, 0x0a, resource);
  writer.close(start, 0x80);
}

function writeScope(writer: ProtobufWriter, scope: OtlpScope): void {
  const start = writer.open(0x0a, 0);
  writeText(writer, 0x0a, scope.name);
  writeText(writer, 0x12, scope.version);
  writer.close(start, 0);
}

function writeText(writer: ProtobufWriter, tag: number, text: string | undefined): void {
  if (text) writer.string(tag, text);
}

function writeId(writer: ProtobufWriter, tag: number, id: string | undefined): void {
  if (id) writer.id(tag, id);
}

function writeCount(writer: ProtobufWriter, tag: number, count: number | undefined): void {
  if (count) writer.uint32(tag, count);
}

function writeSpan(writer: ProtobufWriter, span: OutgoingSpan): void {
  writer.id(0x0a, span.traceId);
  writer.id(0x12, span.spanId);
  writeText(writer, 0x1a, span.traceState);
  writeId(writer, 0x22, span.parentSpanId);
  writeText(writer, 0x2a, span.name);
  writeCount(writer, 0x30, span.kind);
  writer.fixed64(0x39, span.startedAt);
  writer.fixed64(0x41, span.endedAt);
  writeAttributes(writer, 0x4a, span.attributes);
  writeCount(writer, 0x50, span.droppedAttributes);
  for (const event of span.events) writeEvent(writer, event);
  for (const link of span.links) writeLink(writer, link);
  writeStatus(writer, span.status);
  if (span.flags) writer.fixed32(0x85, span.flags);
}

function writeEvent(writer: ProtobufWriter, event: OtlpEvent): void {
  const start = writer.open(0x5a, 0);
  writer.fixed64(0x09, event.at);
  writeText(writer, 0x12, event.name);
  writeAttributes(writer, 0x1a, event.attributes);
  writer.close(start, 0);
}

function writeLink(writer: ProtobufWriter, link: OtlpLink): void {
  const start = writer.open(0x6a, 0);
  writer.id(0x0a, link.traceId);
  writer.id(0x12, link.spanId);
  writeAttributes(writer, 0x22, link.attributes);
  writer.close(start, 0);
}

function writeStatus(writer: ProtobufWriter, status: OtlpSpan['status']): void {
  if (status.code === 0 && !status.message) return;
  const start = writer.open(0x7a, 0);
  writeText(writer, 0x12, status.message);
  writeCount(writer, 0x18, status.code);
  writer.close(start, 0);
}

function writeLog(writer: ProtobufWriter, log: OtlpLog): void {
  writer.fixed64(0x09, log.at);
  writeCount(writer, 0x10, log.severity);
  writeText(writer, 0x1a, log.severityText);
  if (log.body !== undefined) writeValue(writer, 0x2a, log.body);
  writeAttributes(writer, 0x32, log.attributes);
  writeId(writer, 0x4a, log.traceId);
  writeId(writer, 0x52, log.spanId);
  if (log.observedAt) writer.fixed64(0x59, log.observedAt);
  writeText(writer, 0x62, log.eventName);
}
