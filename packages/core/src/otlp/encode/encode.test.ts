import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as protobufjs from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { decodeOtlp } from '../decode/decode-otlp.ts';
import { assembleTracesJson, encodeLogsJson, encodeMetricsJson, encodeSpanJson, encodeTracesJson } from './json.ts';
import { assembleTraces, encodeLogs, encodeMetrics, encodeSpan, encodeTraces } from './protobuf.ts';
import type { OtlpGroup, OtlpLog, OtlpMetric, OtlpSpan } from '../records.ts';

const protobuf = createRequire(import.meta.url)('protobufjs') as typeof protobufjs;
const SCHEMA = protobuf.Root.fromJSON(
  JSON.parse(readFileSync(new URL('../__fixtures__/otlp-proto.json', import.meta.url), 'utf8')) as Parameters<
    typeof protobuf.Root.fromJSON
  >[0],
);

/** What protobufjs, which shares no code with ours, reads. */
function readByProtobufjs(type: string, body: Uint8Array): Record<string, unknown> {
  const message = SCHEMA.lookupType(type);
  return message.toObject(message.decode(body), { longs: String, bytes: String });
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const LONG_TEXT = `${'é👋 '.repeat(20_000)}\ud83d`;

const SPAN: OtlpSpan = {
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  parentSpanId: '00f067aa0ba902b7',
  traceState: 'vendor=1',
  flags: 0x101,
  name: 'chat modèle',
  kind: 3,
  startedAt: 1_700_000_000_123_456_789n,
  endedAt: 1_700_000_001_000_000_001n,
  attributes: {
    short: 'x',
    empty: '',
    schlüssel: 'käse',
    ['key'.repeat(60)]: 'value'.repeat(20),
    boundary: 'b'.repeat(115),
    lone: 'a\ud83d',
    long: LONG_TEXT,
    zero: 0,
    one: 1,
    negative: -1,
    large: Number.MAX_SAFE_INTEGER,
    larger: 2n ** 62n,
    least: -(2n ** 63n),
    fraction: 0.1,
    huge: 1e300,
    yes: true,
    no: false,
    nothing: null,
    list: ['a', 1, [true]],
    map: { inner: { deep: 1.5 } },
    bytes: new Uint8Array([0, 128, 255]),
  },
  droppedAttributes: 3,
  events: [{ name: 'retry', at: 5n, attributes: { attempt: 2 } }],
  links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: {} }],
  status: { code: 2, message: 'broke' },
};
const GROUP: OtlpGroup<OtlpSpan> = {
  resource: { 'service.name': 'claude-agents' },
  scope: { name: 'spanprism', version: '1.0.0' },
  records: [SPAN, { ...SPAN, attributes: {}, events: [], links: [], status: { code: 0 } }],
};

const READ_SPAN = {
  traceId: base64(TRACE_ID),
  spanId: base64(SPAN_ID),
  parentSpanId: base64('00f067aa0ba902b7'),
  traceState: 'vendor=1',
  flags: 0x101,
  name: 'chat modèle',
  kind: 3,
  startTimeUnixNano: '1700000000123456789',
  endTimeUnixNano: '1700000001000000001',
  attributes: [
    { key: 'short', value: { stringValue: 'x' } },
    { key: 'empty', value: { stringValue: '' } },
    { key: 'schlüssel', value: { stringValue: 'käse' } },
    { key: 'key'.repeat(60), value: { stringValue: 'value'.repeat(20) } },
    { key: 'boundary', value: { stringValue: 'b'.repeat(115) } },
    { key: 'lone', value: { stringValue: 'a\ufffd' } },
    { key: 'long', value: { stringValue: `${LONG_TEXT.slice(0, -1)}\ufffd` } },
    { key: 'zero', value: { intValue: '0' } },
    { key: 'one', value: { intValue: '1' } },
    { key: 'negative', value: { intValue: '-1' } },
    { key: 'large', value: { intValue: '9007199254740991' } },
    { key: 'larger', value: { intValue: '4611686018427387904' } },
    { key: 'least', value: { intValue: '-9223372036854775808' } },
    { key: 'fraction', value: { doubleValue: 0.1 } },
    { key: 'huge', value: { doubleValue: 1e300 } },
    { key: 'yes', value: { boolValue: true } },
    { key: 'no', value: { boolValue: false } },
    { key: 'nothing', value: {} },
    {
      key: 'list',
      value: {
        arrayValue: {
          values: [{ stringValue: 'a' }, { intValue: '1' }, { arrayValue: { values: [{ boolValue: true }] } }],
        },
      },
    },
    {
      key: 'map',
      value: {
        kvlistValue: {
          values: [
            { key: 'inner', value: { kvlistValue: { values: [{ key: 'deep', value: { doubleValue: 1.5 } }] } } },
          ],
        },
      },
    },
    { key: 'bytes', value: { bytesValue: 'AID/' } },
  ],
  droppedAttributesCount: 3,
  events: [{ timeUnixNano: '5', name: 'retry', attributes: [{ key: 'attempt', value: { intValue: '2' } }] }],
  links: [{ traceId: base64(TRACE_ID), spanId: base64(SPAN_ID) }],
  status: { code: 2, message: 'broke' },
};

describe('protobuf, as protobufjs reads it', () => {
  test('a span arrives with everything, lone surrogates replaced', () => {
    expect(readByProtobufjs('Span', encodeSpan(SPAN))).toEqual(READ_SPAN);
  });

  test('a request has the resource and the scope once', () => {
    expect(readByProtobufjs('ExportTraceServiceRequest', encodeTraces([GROUP]))).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'claude-agents' } }] },
          scopeSpans: [{ scope: { name: 'spanprism', version: '1.0.0' }, spans: [READ_SPAN, { name: 'chat modèle' }] }],
        },
      ],
    });
  });

  test('every length around the sizes of its own length arrives', () => {
    for (const length of [
      0, 1, 23, 24, 25, 100, 110, 120, 126, 127, 128, 129, 16_370, 16_383, 16_384, 2_097_151, 2_097_152,
    ]) {
      const text = 'x'.repeat(length);
      const attributes = { ascii: text, latin: `${text}é`, wide: `${text}👋` };
      expect(readByProtobufjs('Span', encodeSpan({ ...SPAN, name: text, attributes }))).toMatchObject({
        attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
      });
    }
  });

  test('an encoded span is not changed by encoding the next', () => {
    const first = encodeSpan(SPAN);
    const before = Buffer.from(first);
    for (let index = 0; index < 100; index++) encodeSpan({ ...SPAN, name: String(index) });
    expect(before.equals(first)).toBe(true);
  });

  test('spans larger than the memory that others share leave those as they are', () => {
    const names = [10, 300_000, 20, 400_000, 600_000, 30].map((length) => 'é'.repeat(length));
    const encoded = names.map((name) => encodeSpan({ ...SPAN, name }));
    expect(encoded.map((bytes) => readByProtobufjs('Span', bytes)['name'])).toEqual(names);
  });

  test('lengths have their shortest form', () => {
    const type = SCHEMA.lookupType('Span');
    const encoded = encodeSpan({
      ...SPAN,
      attributes: { long: LONG_TEXT, short: 'ä'.repeat(60), list: ['x'.repeat(200)] },
    });
    expect(encoded.length).toBe(type.encode(type.decode(encoded)).finish().length);
  });

  test('logs arrive', () => {
    const record: OtlpLog = {
      at: 7n,
      observedAt: 8n,
      severity: 9,
      severityText: 'INFO',
      eventName: 'api_request',
      body: { a: ['b'] },
      attributes: { n: 1 },
      traceId: TRACE_ID,
      spanId: SPAN_ID,
    };
    expect(readByProtobufjs('ExportLogsServiceRequest', encodeLogs([{ ...GROUP, records: [record] }]))).toMatchObject({
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: '7',
                  observedTimeUnixNano: '8',
                  severityNumber: 9,
                  severityText: 'INFO',
                  eventName: 'api_request',
                  body: {
                    kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{ stringValue: 'b' }] } } }] },
                  },
                  attributes: [{ key: 'n', value: { intValue: '1' } }],
                  traceId: base64(TRACE_ID),
                  spanId: base64(SPAN_ID),
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test('sums, gauges and histograms arrive; a metric of another type keeps its name', () => {
    expect(
      readByProtobufjs('ExportMetricsServiceRequest', encodeMetrics([{ ...GROUP, records: METRICS }])),
    ).toMatchObject({
      resourceMetrics: [{ scopeMetrics: [{ metrics: READ_METRICS }] }],
    });
  });
});

const POINT = { attributes: { model: 'm' }, startedAt: 1n, at: 2n };
const METRICS: readonly OtlpMetric[] = [
  {
    name: 'tokens',
    description: 'used',
    unit: '1',
    data: { type: 'sum', temporality: 1, isMonotonic: true, points: [{ ...POINT, value: -5, isInt: true }] },
  },
  { name: 'cost', data: { type: 'gauge', points: [{ ...POINT, value: 0.5, isInt: false }] } },
  {
    name: 'duration',
    data: {
      type: 'histogram',
      temporality: 2,
      points: [{ ...POINT, count: 3, sum: 1.5, bounds: [0.1, 1], bucketCounts: [1, 2, 0] }],
    },
  },
  { name: 'summary', data: { type: 'other' } },
];
const READ_POINT = {
  startTimeUnixNano: '1',
  timeUnixNano: '2',
  attributes: [{ key: 'model', value: { stringValue: 'm' } }],
};
const READ_METRICS = [
  {
    name: 'tokens',
    description: 'used',
    unit: '1',
    sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...READ_POINT, asInt: '-5' }] },
  },
  { name: 'cost', gauge: { dataPoints: [{ ...READ_POINT, asDouble: 0.5 }] } },
  {
    name: 'duration',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [{ ...READ_POINT, count: '3', sum: 1.5, explicitBounds: [0.1, 1], bucketCounts: ['1', '2', '0'] }],
    },
  },
  { name: 'summary' },
];

describe('JSON', () => {
  test('a span is spelled as OTLP/JSON has it', () => {
    const span = JSON.parse(Buffer.from(encodeSpanJson(SPAN)).toString()) as object;
    expect(span).toMatchObject({
      ...READ_SPAN,
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      parentSpanId: '00f067aa0ba902b7',
      links: [{ traceId: TRACE_ID, spanId: SPAN_ID }],
      events: [{ timeUnixNano: '5', name: 'retry', attributes: [{ key: 'attempt', value: { intValue: 2 } }] }],
      attributes: expect.arrayContaining([
        { key: 'large', value: { intValue: 9_007_199_254_740_991 } },
        { key: 'larger', value: { intValue: '4611686018427387904' } },
        { key: 'lone', value: { stringValue: 'a\ufffd' } },
        { key: 'nothing', value: {} },
        { key: 'bytes', value: { bytesValue: 'AID/' } },
      ]) as unknown,
    });
  });

  test('metrics are spelled as OTLP/JSON has them', () => {
    const body = JSON.parse(Buffer.from(encodeMetricsJson([{ ...GROUP, records: METRICS }])).toString()) as object;
    const [tokens, ...others] = READ_METRICS;
    const sum = { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...READ_POINT, asInt: -5 }] };
    expect(body).toMatchObject({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ ...tokens, sum }, ...others] }] }] });
  });

  test('numbers that JSON has no word for are spelled as protobuf does', () => {
    const attributes = { nan: Number.NaN, up: Number.POSITIVE_INFINITY };
    expect(Buffer.from(encodeSpanJson({ ...SPAN, attributes })).toString()).toContain(
      '[{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"up","value":{"doubleValue":"Infinity"}}]',
    );
  });

  test('logs read back as they were', () => {
    const groups = [{ ...GROUP, records: [{ at: 1n, body: null, attributes: { a: 'b' }, severity: 5 }] }];
    expect(decodeOtlp('logs', 'json', encodeLogsJson(groups))).toEqual({ signal: 'logs', groups });
  });
});

test('spans encoded one by one make the same request as all at once', () => {
  const { resource, scope, records } = GROUP;
  const bodies = [assembleTraces(resource, scope, records.map(encodeSpan)), encodeTraces([GROUP])];
  expect(Buffer.compare(bodies[0] as Uint8Array, bodies[1] as Uint8Array)).toBe(0);
  const json = [assembleTracesJson(resource, scope, records.map(encodeSpanJson)), encodeTracesJson([GROUP])];
  expect(JSON.parse(String(Buffer.from(json[0] as Uint8Array)))).toEqual(
    JSON.parse(String(Buffer.from(json[1] as Uint8Array))),
  );
});
