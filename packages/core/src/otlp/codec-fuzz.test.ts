import { expect, test } from 'vitest';
import { OtlpDecodeError, decodeOtlp } from './decode/decode-otlp.ts';
import { decodeExportResponse } from './decode/response.ts';
import { encodeLogsJson, encodeMetricsJson, encodeTracesJson } from './encode/json.ts';
import { encodeLogs, encodeMetrics, encodeTraces } from './encode/protobuf.ts';
import type { OtlpEncoding, OtlpSignal } from './records.ts';

/** mulberry32 */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const ATTRIBUTES = {
  text: 'käse',
  count: -5,
  list: ['a', [1]],
  map: { __proto: null },
  bytes: new Uint8Array([1]),
  yes: true,
  part: 0.5,
};
const GROUP = { resource: ATTRIBUTES, scope: { name: 'fuzz', version: '1' } };
const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'name',
  kind: 1,
  startedAt: 1n,
  endedAt: 2n,
  attributes: ATTRIBUTES,
  events: [{ name: 'event', at: 1n, attributes: ATTRIBUTES }],
  links: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', attributes: ATTRIBUTES }],
  status: { code: 2, message: 'no' },
};
const POINT = { attributes: ATTRIBUTES, startedAt: 1n, at: 2n };
const TRACES = [{ ...GROUP, records: [SPAN, SPAN] }];
const LOGS = [{ ...GROUP, records: [{ at: 1n, body: ATTRIBUTES, attributes: ATTRIBUTES, severity: 9 }] }];
const METRICS = [
  {
    ...GROUP,
    records: [
      {
        name: 'sum',
        data: { type: 'sum', temporality: 1, isMonotonic: true, points: [{ ...POINT, value: 1, isInt: true }] },
      },
      {
        name: 'histogram',
        data: {
          type: 'histogram',
          temporality: 1,
          points: [{ ...POINT, count: 1, bounds: [1], bucketCounts: [0, 1] }],
        },
      },
    ],
  },
] as const;

const BODIES: readonly (readonly [OtlpSignal, OtlpEncoding, Uint8Array])[] = [
  ['traces', 'protobuf', encodeTraces(TRACES)],
  ['logs', 'protobuf', encodeLogs(LOGS)],
  ['metrics', 'protobuf', encodeMetrics(METRICS)],
  ['traces', 'json', encodeTracesJson(TRACES)],
  ['logs', 'json', encodeLogsJson(LOGS)],
  ['metrics', 'json', encodeMetricsJson(METRICS)],
];
const JSON_BITS = [
  'null',
  '[]',
  '{}',
  '"',
  '-1',
  '1e999',
  '"x"',
  '{"__proto__":{"polluted":1}}',
  '[[[',
  'true',
  '\ud83d',
];

function mutate(body: Uint8Array, encoding: OtlpEncoding, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(body);
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(bytes.length + 1);
    switch (random(encoding === 'json' ? 5 : 4)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(9))]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1), at), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.from(replaceValue(bytes.toString(), JSON_BITS[random(JSON_BITS.length)] ?? '', random));
    }
  }
  return bytes;
}

/** Puts something else where a value was, so that the text mostly stays JSON. */
function replaceValue(text: string, by: string, random: (below: number) => number): string {
  const starts = [...text.matchAll(/(?<=":)(?:"[^"]*"|[\d.-]+|true|false|\{\}|\[\])/g)];
  const chosen = starts[random(starts.length)];
  return chosen === undefined ? by : text.slice(0, chosen.index) + by + text.slice(chosen.index + chosen[0].length);
}

function outcomeOf(decode: () => unknown): 'read' | 'refused' {
  try {
    decode();
    return 'read';
  } catch (error) {
    if (error instanceof OtlpDecodeError) return 'refused';
    throw error;
  }
}

test('20,000 damaged bodies are read or refused, and nothing else', () => {
  const random = seeded(20_261_121);
  const outcomes = { read: 0, refused: 0 };
  for (let round = 0; round < 20_000; round++) {
    const [signal, encoding, body] = BODIES[random(BODIES.length)] ?? BODIES[0]!;
    const damaged = mutate(body, encoding, random);
    outcomes[outcomeOf(() => decodeOtlp(signal, encoding, damaged))]++;
    outcomes[outcomeOf(() => decodeExportResponse(signal, encoding, damaged))]++;
  }
  expect(outcomes.read).toBeGreaterThan(1000);
  expect(outcomes.refused).toBeGreaterThan(1000);
  expect('polluted' in {}).toBe(false);
});

test('a body whose records would need far more memory than the body is refused', () => {
  // Ten million empty spans, two bytes each.
  const spans = Buffer.alloc(20_000_000);
  for (let at = 0; at < spans.length; at += 2) spans[at] = 0x12;
  const wrapped = field(0x0a, field(0x12, spans));
  expect(() => decodeOtlp('traces', 'protobuf', wrapped)).toThrow('more than 4000000 messages');
});

function field(tag: number, content: Buffer): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), content]);
}
