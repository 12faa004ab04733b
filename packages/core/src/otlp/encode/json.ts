import type { OutgoingSpan } from './attribute-list.ts';
import { jsonAttributes, jsonValue } from './json-attributes.ts';
import { jsonMetric } from './json-metrics.ts';
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
import { wellFormed } from '../well-formed.ts';

/** An ExportTraceServiceRequest in OTLP/JSON. */
export function encodeTracesJson(groups: readonly OtlpGroup<OtlpSpan>[]): Uint8Array {
  return encoded({
    resourceSpans: groups.map(({ resource, scope, records }) => ({
      resource: jsonResource(resource),
      scopeSpans: [{ scope: jsonScope(scope), spans: records.map(jsonSpan) }],
    })),
  });
}

/** An ExportLogsServiceRequest in OTLP/JSON. */
export function encodeLogsJson(groups: readonly OtlpGroup<OtlpLog>[]): Uint8Array {
  return encoded({
    resourceLogs: groups.map(({ resource, scope, records }) => ({
      resource: jsonResource(resource),
      scopeLogs: [{ scope: jsonScope(scope), logRecords: records.map(jsonLog) }],
    })),
  });
}

/** An ExportMetricsServiceRequest in OTLP/JSON. A metric of type `other` keeps its name and has no points. */
export function encodeMetricsJson(groups: readonly OtlpGroup<OtlpMetric>[]): Uint8Array {
  return encoded({
    resourceMetrics: groups.map(({ resource, scope, records }) => ({
      resource: jsonResource(resource),
      scopeMetrics: [{ scope: jsonScope(scope), metrics: records.map(jsonMetric) }],
    })),
  });
}

/** One Span object, to be put into a request by `assembleTracesJson`. */
export function encodeSpanJson(span: OutgoingSpan): Uint8Array {
  return encoded(jsonSpan(span));
}

/** An ExportTraceServiceRequest of spans that `encodeSpanJson` has encoded. */
export function assembleTracesJson(
  resource: OtlpAttributes,
  scope: OtlpScope,
  encodedSpans: readonly Uint8Array[],
): Uint8Array {
  const head = `{"resourceSpans":[{"resource":${JSON.stringify(jsonResource(resource))},"scopeSpans":[{"scope":${JSON.stringify(jsonScope(scope))},"spans":[`;
  const pieces: Uint8Array[] = [Buffer.from(head)];
  encodedSpans.forEach((span, index) => {
    if (index > 0) pieces.push(COMMA);
    pieces.push(span);
  });
  pieces.push(TAIL);
  return Buffer.concat(pieces);
}

const COMMA: Uint8Array = Buffer.from(',');
const TAIL: Uint8Array = Buffer.from(']}]}]}');

function encoded(message: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

// A property that is undefined is not written.

function jsonResource(resource: OtlpAttributes): object {
  return { attributes: jsonAttributes(resource) };
}

function jsonScope(scope: OtlpScope): object {
  return { name: wellFormed(scope.name), version: jsonText(scope.version) };
}

function jsonSpan(span: OutgoingSpan): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    traceState: jsonText(span.traceState),
    flags: span.flags,
    name: wellFormed(span.name),
    kind: span.kind,
    startTimeUnixNano: String(span.startedAt),
    endTimeUnixNano: String(span.endedAt),
    attributes: jsonAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributes,
    events: span.events.map(jsonEvent),
    links: span.links.map(jsonLink),
    status: { code: span.status.code, message: jsonText(span.status.message) },
  };
}

function jsonEvent(event: OtlpEvent): object {
  return { name: wellFormed(event.name), timeUnixNano: String(event.at), attributes: jsonAttributes(event.attributes) };
}

function jsonLink(link: OtlpLink): object {
  return { traceId: link.traceId, spanId: link.spanId, attributes: jsonAttributes(link.attributes) };
}

function jsonLog(log: OtlpLog): object {
  return {
    timeUnixNano: String(log.at),
    observedTimeUnixNano: log.observedAt === undefined ? undefined : String(log.observedAt),
    severityNumber: log.severity,
    severityText: jsonText(log.severityText),
    eventName: jsonText(log.eventName),
    body: log.body === undefined ? undefined : jsonValue(log.body),
    attributes: jsonAttributes(log.attributes),
    traceId: log.traceId,
    spanId: log.spanId,
  };
}

function jsonText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : wellFormed(text);
}
