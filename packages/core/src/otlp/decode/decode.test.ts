import { createRequire } from 'node:module';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type * as api from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, test } from 'vitest';
import { OtlpDecodeError, decodeOtlp } from './decode-otlp.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../records.ts';

// The ES build of this package has imports without extensions, which Node does not resolve.
const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = createRequire(import.meta.url)(
  '@opentelemetry/api',
) as typeof api;

const ATTRIBUTES = {
  text: 'héllo 👋',
  empty: '',
  count: 42,
  negative: -7,
  large: 2 ** 40,
  fraction: 0.25,
  yes: true,
  list: ['a', 'b'],
  numbers: [1, 2.5],
};

function endedSpans(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('library', '1.2.3');
  const parent = tracer.startSpan('parent', { kind: SpanKind.CLIENT, startTime: [1_700_000_000, 123_456_789] });
  const context = trace.setSpan(ROOT_CONTEXT, parent);
  const link = { context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: TraceFlags.SAMPLED } };
  const child = tracer.startSpan(
    'child',
    { attributes: ATTRIBUTES, links: [{ ...link, attributes: { why: 'because' } }] },
    context,
  );
  child.addEvent('happened', { at: 3 }, [1_700_000_001, 5]);
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'it broke' });
  child.end();
  parent.end([1_700_000_002, 1]);
  return exporter.getFinishedSpans();
}

function decodeSpans(encoding: OtlpEncoding, spans: ReadableSpan[]): OtlpRequest {
  const serializer = encoding === 'protobuf' ? ProtobufTraceSerializer : JsonTraceSerializer;
  return decodeOtlp('traces', encoding, serializer.serializeRequest(spans) ?? new Uint8Array());
}

const ENCODINGS: readonly OtlpEncoding[] = ['protobuf', 'json'];

describe.each(ENCODINGS)("what OpenTelemetry's serializers write as %s", (encoding) => {
  test('spans arrive with ids, times, attributes, events, links and status', () => {
    const spans = endedSpans();
    const request = decodeSpans(encoding, spans);
    if (request.signal !== 'traces') throw new Error('not traces');
    const [group] = request.groups;
    expect(group?.scope).toEqual({ name: 'library', version: '1.2.3' });
    expect(group?.resource).toMatchObject({ 'telemetry.sdk.language': 'nodejs' });
    const [child, parent] = group?.records ?? [];
    expect(parent).toMatchObject({
      name: 'parent',
      kind: 3,
      startedAt: 1_700_000_000_123_456_789n,
      endedAt: 1_700_000_002_000_000_001n,
    });
    expect(parent).not.toHaveProperty('parentSpanId');
    expect(parent?.status).toEqual({ code: 0 });
    expect(child).toMatchObject({
      traceId: spans[0]?.spanContext().traceId,
      spanId: spans[0]?.spanContext().spanId,
      parentSpanId: spans[1]?.spanContext().spanId,
      name: 'child',
      kind: 1,
      status: { code: 2, message: 'it broke' },
    });
    expect({ ...child?.attributes }).toEqual(ATTRIBUTES);
    expect(child?.events).toEqual([{ name: 'happened', at: 1_700_000_001_000_000_005n, attributes: { at: 3 } }]);
    expect(child?.links).toEqual([
      { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), attributes: { why: 'because' } },
    ]);
  });

  test('logs arrive with body, severity, event name and nested attributes', () => {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
    provider.getLogger('logs', '9').emit({
      timestamp: [1_700_000_000, 1],
      observedTimestamp: [1_700_000_000, 2],
      severityNumber: 9,
      severityText: 'INFO',
      eventName: 'api_request',
      body: { nested: ['x', { deep: true }] },
      attributes: { ...ATTRIBUTES, bytes: new Uint8Array([1, 2, 255]), map: { a: 1 } },
    });
    const serializer = encoding === 'protobuf' ? ProtobufLogsSerializer : JsonLogsSerializer;
    const body = serializer.serializeRequest(exporter.getFinishedLogRecords()) ?? new Uint8Array();
    const [group] = decodeOtlp('logs', encoding, body).groups;
    expect(group?.scope).toEqual({ name: 'logs', version: '9' });
    expect(group?.records).toEqual([
      {
        at: 1_700_000_000_000_000_001n,
        observedAt: 1_700_000_000_000_000_002n,
        severity: 9,
        severityText: 'INFO',
        eventName: 'api_request',
        body: { nested: ['x', { deep: true }] },
        attributes: { ...ATTRIBUTES, bytes: new Uint8Array([1, 2, 255]), map: { a: 1 } },
      },
    ]);
  });

  test('sums, gauges and histograms arrive with their points', async () => {
    const serializer = encoding === 'protobuf' ? ProtobufMetricsSerializer : JsonMetricsSerializer;
    const body = serializer.serializeRequest(await collectedMetrics()) ?? new Uint8Array();
    const [group] = decodeOtlp('metrics', encoding, body).groups;
    const point = { attributes: { type: 'input' }, at: expect.any(BigInt), startedAt: expect.any(BigInt) };
    expect(group?.records).toEqual([
      {
        name: 'tokens',
        description: 'used',
        unit: '1',
        data: { type: 'sum', temporality: 1, isMonotonic: true, points: [{ ...point, value: 12, isInt: true }] },
      },
      {
        name: 'cost',
        data: { type: 'sum', temporality: 1, isMonotonic: false, points: [{ ...point, value: 0.5, isInt: false }] },
      },
      { name: 'level', data: { type: 'gauge', points: [{ ...point, value: -3, isInt: true }] } },
      {
        name: 'duration',
        data: {
          type: 'histogram',
          temporality: 1,
          points: [{ ...point, count: 2, sum: 7.5, bounds: [1, 5], bucketCounts: [0, 1, 1] }],
        },
      },
    ]);
  });
});

async function collectedMetrics(): Promise<ResourceMetrics> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const meter = provider.getMeter('metrics');
  const attributes = { type: 'input' };
  meter.createCounter('tokens', { description: 'used', unit: '1', valueType: 0 }).add(12, attributes);
  meter.createUpDownCounter('cost', { valueType: 1 }).add(0.5, attributes);
  meter.createGauge('level', { valueType: 0 }).record(-3, attributes);
  const histogram = meter.createHistogram('duration', { advice: { explicitBucketBoundaries: [1, 5] } });
  histogram.record(1.5, attributes);
  histogram.record(6, attributes);
  await provider.forceFlush();
  const [metrics] = exporter.getMetrics();
  await provider.shutdown();
  if (metrics === undefined) throw new Error('nothing collected');
  return metrics;
}

function json(signal: OtlpSignal, value: unknown): OtlpRequest {
  return decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(value)));
}

function jsonSpan(span: object): unknown {
  const request = json('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  return request.groups[0]?.records[0];
}

function protobuf(hex: string): OtlpRequest {
  return decodeOtlp('traces', 'protobuf', Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof OtlpDecodeError ? error.code : String(error);
  }
  return undefined;
}

describe('OTLP/JSON', () => {
  test('times and ints may be strings or numbers, ids of either case', () => {
    const attributes = [
      { key: 'a', value: { intValue: '5' } },
      { key: 'b', value: { intValue: '-9223372036854775808' } },
      { key: 'c', value: { doubleValue: 'NaN' } },
    ];
    expect(
      jsonSpan({ traceId: 'AB'.repeat(16), startTimeUnixNano: 5, endTimeUnixNano: '18446744073709551615', attributes }),
    ).toMatchObject({
      traceId: 'ab'.repeat(16),
      startedAt: 5n,
      endedAt: 18_446_744_073_709_551_615n,
      attributes: { a: 5, b: -9_223_372_036_854_775_808n, c: Number.NaN },
    });
  });

  test('an id of zeros is absent', () => {
    expect(jsonSpan({ parentSpanId: '0'.repeat(16) })).not.toHaveProperty('parentSpanId');
  });

  test('a lone surrogate becomes U+FFFD', () => {
    expect(jsonSpan({ name: 'a\ud83d' })).toMatchObject({ name: 'a\ufffd' });
  });

  test('an attribute called __proto__ is an attribute and nothing else', () => {
    const attributes = [
      { key: '__proto__', value: { kvlistValue: { values: [{ key: 'polluted', value: { boolValue: true } }] } } },
    ];
    const span = jsonSpan({ attributes }) as { attributes: object };
    expect(Object.keys(span.attributes)).toEqual(['__proto__']);
    expect('polluted' in span.attributes).toBe(false);
    expect('polluted' in {}).toBe(false);
  });

  test.each(['constructor', 'toString', 'a'])('there is no attribute %s where none was sent', (name) => {
    const { attributes } = jsonSpan({ attributes: [{ key: 'b', value: { intValue: 1 } }] }) as { attributes: object };
    expect(name in attributes).toBe(false);
  });

  test.each([
    ['resourceSpans', { resourceSpans: 5 }, '$.resourceSpans must be an array'],
    [
      'a span',
      { resourceSpans: [{ scopeSpans: [{ spans: [{}, 7] }] }] },
      '$.resourceSpans[0].scopeSpans[0].spans[1] must be an object',
    ],
    [
      'an id',
      { resourceSpans: [{ scopeSpans: [{ spans: [{ spanId: 'q6urzas=' }] }] }] },
      '.spans[0].spanId must be 16 hex digits',
    ],
    [
      'a time',
      { resourceSpans: [{ scopeSpans: [{ spans: [{ endTimeUnixNano: -1 }] }] }] },
      '.endTimeUnixNano must be between',
    ],
  ])('the path of %s that is wrong is in the message', (_what, body, message) => {
    expect(() => json('traces', body)).toThrow(message);
  });

  test('text that is not JSON is refused without being quoted', () => {
    const run = (): unknown => decodeOtlp('logs', 'json', Buffer.from('{"secret prompt'));
    expect(codeOf(run)).toBe('invalid_json');
    expect(run).not.toThrow('secret');
  });
});

describe('OTLP/protobuf', () => {
  test('unknown fields of every wire type are passed over', () => {
    // Fields 100 to 104: varint, eight bytes, text, a group holding a varint, four bytes; then a span named "x".
    const unknown = 'a006 01  a906 0000000000000000  b206 02 6162  bb06 0801 bc06  c506 00000000';
    expect(protobuf(`${unknown} 0a07 1205 1203 2a01 78`).groups[0]?.records).toMatchObject([{ name: 'x' }]);
  });

  test('a resource that follows its spans is still theirs', () => {
    // scope_spans { spans { name: "x" } }, resource { attributes { key: "k", value { bool: true } } }
    const [group] = protobuf('0a12 1205 1203 2a0178 0a09 0a07 0a016b 1202 1001').groups;
    expect(group).toMatchObject({ resource: { k: true }, records: [{ name: 'x' }] });
  });

  test('an int beyond what a double holds is a bigint', () => {
    // intValue -2^63 and 2^53 - 1
    const [group] = protobuf(
      '0a26 1224 1222 4a10 0a0161 120b 18 80808080808080808001 4a0e 0a0162 1209 18 ffffffffffffff0f',
    ).groups;
    expect(group?.records).toMatchObject([
      { attributes: { a: -9_223_372_036_854_775_808n, b: 9_007_199_254_740_991 } },
    ]);
  });

  test('invalid UTF-8 becomes U+FFFD', () => {
    expect(protobuf('0a08 1206 1204 2a02 61ff').groups[0]?.records).toMatchObject([{ name: 'a\ufffd' }]);
  });

  test.each([
    ['truncated', 'a length beyond the end', '0a05 12'],
    ['truncated', 'a field that ends after the message it is in', '0a09 1204 1205 2a 01 78 0000'],
    ['truncated', 'a time cut off', '0a07 1205 1203 39 0000'],
    ['malformed', 'field number 0', '0000'],
    ['malformed', 'a wire type that is not one', '0f'],
    ['malformed', 'a varint without end', '08 ffffffffffffffffffff01'],
    ['malformed', 'the end of a group never begun', '0c'],
    ['truncated', 'a group without end', '0b'],
    ['invalid_field', 'a trace id of three bytes', '0a09 1207 1205 0a03 010203'],
    ['too_large', 'groups in groups', '0b'.repeat(1000)],
  ])('%s: %s', (code, _what, hex) => {
    expect(codeOf(() => protobuf(hex))).toBe(code);
  });

  test('the byte is in the message', () => {
    expect(() => protobuf('0a05 12')).toThrow('at byte 2');
  });

  test('values nested too deeply are refused in both encodings', () => {
    const open = '{"arrayValue":{"values":['.repeat(10_000);
    const text = `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":${open}${']}}'.repeat(10_000)}}]}}]}`;
    expect(codeOf(() => decodeOtlp('traces', 'json', Buffer.from(text)))).toBe('too_large');

    let value = Buffer.alloc(0);
    for (let depth = 0; depth < 10_000; depth++) value = field(0x2a, field(0x0a, value));
    const attribute = field(0x0a, field(0x12, value));
    expect(codeOf(() => decodeOtlp('traces', 'protobuf', field(0x0a, field(0x0a, attribute))))).toBe('too_large');
  });
});

function field(tag: number, content: Buffer): Buffer<ArrayBuffer> {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), content]);
}
