import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { decodeOtlp } from './decode-otlp.ts';

type Attributes = Record<string, string | number | string[]>;

test.each<[string, readonly Attributes[]]>([
  [
    'the same',
    [
      { model: 'sonnet', tool: 'Read' },
      { model: 'sonnet', tool: 'Read' },
    ],
  ],
  [
    'that differ in one character',
    ['abcdefghi', 'abcdefghj', 'bbcdefghj', 'bbcdffghj', 'bbc'].map((text) => ({ text })),
  ],
  ['of as many bytes as others have', ['é1', '1é', 'abc', '€', 'é1'].map((text) => ({ text }))],
  [
    'with keys in another order',
    [
      { one: 'a', two: 'b', six: 'c' },
      { six: 'a', one: 'b', two: 'c' },
      { two: 'b', six: 'c' },
    ],
  ],
  [
    'with keys that differ in one character',
    [
      { key_1: 'a', key_2: 'a', kez_1: 'b' },
      { key_2: 'a', kez_1: 'b', key_1: 'c' },
    ],
  ],
  [
    'with keys that are not ASCII',
    [
      { größe: 'a', groeße: 'b' },
      { größe: 'a', größf: 'b' },
    ],
  ],
  [
    'with values of other kinds between them',
    [
      { a: 'x', n: 1, b: 'x' },
      { a: 'y', n: 'x', b: 2 },
      { a: 'x', n: 'y', b: 'x' },
    ],
  ],
  [
    'in lists',
    [
      { list: ['a', 'b', 'b'], next: 'b' },
      { list: ['b', 'a'], next: 'b' },
    ],
  ],
  ['with a key that begins another', [{ alphabet: 'a' }, { alphabet: 'a' }, { alpha: 'a' }, { alphabet: 'a' }]],
  [
    'that are empty',
    [
      { a: '', b: 'x' },
      { a: 'x', b: '' },
      { a: '', b: '' },
    ],
  ],
  ['that are long', ['a', 'b'].map((end) => ({ text: 'x'.repeat(200) + end, same: 'y'.repeat(64) }))],
  [
    'with more keys than are remembered',
    [0, 1].map(() => Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`app.number_${n}`, `${n % 7}`]))),
  ],
])('texts of one body %s arrive as they were sent', (_, sent) => {
  const exporter = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('library');
  for (const attributes of sent) tracer.startSpan('step', { attributes }).end();
  const body = ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans()) ?? new Uint8Array();
  const request = decodeOtlp('traces', 'protobuf', body);
  if (request.signal !== 'traces') throw new Error('not traces');
  const records = request.groups.flatMap((group) => group.records);
  expect(records.map(({ attributes }) => ({ ...attributes }))).toEqual(sent);
});
