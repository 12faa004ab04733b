import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { decodeOnly, decodeOtlp } from './decode-otlp.ts';

const ATTRIBUTES = [
  // One begins another, and some have as many bytes, the same in the middle and at the end.
  { model: 'opus', models: 'many', nodel: 'x', 'user.id': 'someone', tokens: 12, list: ['a', 'b'], größe: 'L' },
  { tokens: 13, 'user.id': 'someone', model: 'opus' },
  { 'user.id': 'another' },
];
/** One of those that the SDK writes into each resource, and one that nobody has. */
const WANTED = ['model', 'tokens', 'größe', 'telemetry.sdk.language', 'color'];
const FOUND = [{ model: 'opus', tokens: 12, größe: 'L' }, { tokens: 13, model: 'opus' }, {}];

function traces(): Uint8Array {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  const tracer = new BasicTracerProvider({ spanProcessors }).getTracer('library');
  for (const attributes of ATTRIBUTES) tracer.startSpan('step', { attributes }).addEvent('seen', attributes).end();
  return ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans()) ?? new Uint8Array();
}

function logs(): Uint8Array {
  const exporter = new InMemoryLogRecordExporter();
  const processors = [new SimpleLogRecordProcessor({ exporter })];
  const logger = new LoggerProvider({ processors }).getLogger('library');
  for (const attributes of ATTRIBUTES) logger.emit({ eventName: 'step', body: 'done', attributes });
  return ProtobufLogsSerializer.serializeRequest(exporter.getFinishedLogRecords()) ?? new Uint8Array();
}

test.each([
  ['traces', traces],
  ['logs', logs],
] as const)('of %s, only attributes that are wanted are made, and all else is as it was', (signal, sent) => {
  const body = sent();
  const whole = decodeOtlp(signal, 'protobuf', body);
  const part = decodeOnly(WANTED)(signal, 'protobuf', body);
  if (part.signal === 'metrics' || whole.signal !== part.signal) throw new Error(`not ${signal}`);
  const [group] = part.groups;
  expect({ ...group?.resource }).toEqual({ 'telemetry.sdk.language': 'nodejs' });
  expect(group?.records.map(({ attributes }) => ({ ...attributes }))).toEqual(FOUND);
  const bare = (record: object): object => ({ ...record, attributes: {}, events: [] });
  expect(group?.records.map(bare)).toEqual(whole.groups[0]?.records.map(bare));
});

test('of what happened within a span, only attributes that are wanted are made', () => {
  const request = decodeOnly(WANTED)('traces', 'protobuf', traces());
  if (request.signal !== 'traces') throw new Error('not traces');
  const events = request.groups.flatMap(({ records }) => records.flatMap((span) => span.events));
  expect(events.map(({ name, attributes }) => ({ name, ...attributes }))).toEqual(
    FOUND.map((attributes) => ({ name: 'seen', ...attributes })),
  );
});
