import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as protobufjs from 'protobufjs';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, test } from 'vitest';
import { OtlpDecodeError } from './decode/decode-otlp.ts';
import { decodeExportResponse } from './decode/response.ts';
import { encodeExportResponse } from './encode/response.ts';
import type { OtlpEncoding, OtlpSignal } from './records.ts';

const protobuf = createRequire(import.meta.url)('protobufjs') as typeof protobufjs;
const SCHEMA = protobuf.Root.fromJSON(
  JSON.parse(readFileSync(new URL('__fixtures__/otlp-proto.json', import.meta.url), 'utf8')) as Parameters<
    typeof protobuf.Root.fromJSON
  >[0],
);
const SIGNALS: readonly (readonly [OtlpSignal, string, string])[] = [
  ['traces', 'ExportTraceServiceResponse', 'rejectedSpans'],
  ['logs', 'ExportLogsServiceResponse', 'rejectedLogRecords'],
  ['metrics', 'ExportMetricsServiceResponse', 'rejectedDataPoints'],
];

describe.each(SIGNALS)('the answer to %s', (signal, type, field) => {
  test('refusals are read from protobuf and JSON', () => {
    const answer = { partialSuccess: { [field]: 3, errorMessage: 'too old' } };
    const message = SCHEMA.lookupType(type);
    const body = message.encode(message.fromObject(answer)).finish();
    expect(decodeExportResponse(signal, 'protobuf', body)).toEqual({ rejected: 3, message: 'too old' });
    const json = Buffer.from(JSON.stringify({ partialSuccess: { [field]: '3', errorMessage: 'too old' } }));
    expect(decodeExportResponse(signal, 'json', json)).toEqual({ rejected: 3, message: 'too old' });
  });

  test('our own answer is read by protobufjs', () => {
    const message = SCHEMA.lookupType(type);
    const body = encodeExportResponse(signal, 'protobuf', { rejected: 300, message: 'nö' });
    expect(message.toObject(message.decode(body), { longs: Number })).toEqual({
      partialSuccess: { [field]: 300, errorMessage: 'nö' },
    });
  });
});

test("our own answer is read by OpenTelemetry's exporters", () => {
  const answer = { rejected: 2, message: 'full' };
  expect(JsonTraceSerializer.deserializeResponse(encodeExportResponse('traces', 'json', answer))).toEqual({
    partialSuccess: { rejectedSpans: 2, errorMessage: 'full' },
  });
  const read = ProtobufTraceSerializer.deserializeResponse(encodeExportResponse('traces', 'protobuf', answer));
  expect(Number(read.partialSuccess?.rejectedSpans)).toBe(2);
});

test.each<OtlpEncoding>(['protobuf', 'json'])('an answer in %s that refuses nothing says nothing', (encoding) => {
  expect(decodeExportResponse('traces', encoding, encodeExportResponse('traces', encoding))).toEqual({ rejected: 0 });
  expect(decodeExportResponse('traces', encoding, new Uint8Array())).toEqual({ rejected: 0 });
});

test('an answer that is a web page is an error of ours', () => {
  expect(() => decodeExportResponse('traces', 'json', Buffer.from('<html>'))).toThrow(OtlpDecodeError);
  expect(() => decodeExportResponse('traces', 'protobuf', Buffer.from('<html>'))).toThrow(OtlpDecodeError);
});
