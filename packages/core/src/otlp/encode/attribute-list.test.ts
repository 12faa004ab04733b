import { expect, test } from 'vitest';
import { OtlpAttributeList } from './attribute-list.ts';
import { encodeSpanJson } from './json.ts';
import { encodeSpan } from './protobuf.ts';
import type { OtlpSpan, OtlpValue } from '../records.ts';

const SPAN: OtlpSpan = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'chat',
  kind: 3,
  startedAt: 1n,
  endedAt: 2n,
  attributes: {},
  events: [],
  links: [],
  status: { code: 0 },
};

const VALUES: readonly (readonly [string, OtlpValue])[] = [
  ['name', 'Bash'],
  ['schlüssel', 'käse'],
  ['long', 'é'.repeat(20_000)],
  ['count', 7],
  ['share', 0.25],
  ['list', ['sdk', 'cli']],
  ['ids', ['ä', 'x'.repeat(300)]],
  ['mixed', ['a', 1]],
  ['map', { inner: true }],
];

function listOf(values: typeof VALUES): OtlpAttributeList {
  const list = new OtlpAttributeList();
  for (const [key, value] of values) list.put(key, value);
  return list;
}

test.each([encodeSpan, encodeSpanJson])('%o: attributes in a list are encoded as those of an object', (encode) => {
  const listed = encode({ ...SPAN, attributes: listOf(VALUES) });
  expect(Buffer.from(listed).equals(encode({ ...SPAN, attributes: Object.fromEntries(VALUES) }))).toBe(true);
});

test('what is not known is left out', () => {
  const list = new OtlpAttributeList();
  list.put('unknown', undefined);
  list.put('zero', 0);
  expect(list.keys).toEqual(['zero']);
});

test('a value that repeats, changes and repeats again is always the one that was said', () => {
  const names = [
    'claude-sonnet-4-5-20250929',
    'claude-haiku-4-5-20251001',
    `größer ${'!'.repeat(300)}`,
    'für '.repeat(9),
  ];
  for (const name of [0, 0, 0, 1, 0, 1, 1, 1, 0, 2, 2, 2, 3, 3, 3, 2, 0].map((index) => names[index] as string)) {
    const text = Buffer.from(encodeSpan({ ...SPAN, attributes: listOf([['model', name]]) })).toString();
    expect(names.filter((other) => text.includes(other))).toEqual([name]);
  }
});

test('a span is encoded to the same bytes wherever it lies in the encoder’s memory', () => {
  const keys = Array.from({ length: 20 }, (_, index) => `key.${index}`);
  const values: readonly OtlpValue[] = [
    'Käse',
    `Tool Bash – ${'denied by the host'}`,
    ['ä', 'ö'],
    'ASCII',
    7,
    0.5,
    true,
  ];
  const span = {
    ...SPAN,
    attributes: listOf(keys.map((key, index) => [key, values[index % values.length] as OtlpValue])),
  };
  const expected = encodeSpan(span);
  // Over some thousands of spans, pieces of memory end at each of its attributes.
  const differing = Array.from({ length: 20_000 }, (_, index) => {
    encodeSpan({ ...SPAN, name: 'x'.repeat(index % 101) });
    return Buffer.compare(encodeSpan(span), expected) === 0 ? [] : [index];
  });
  expect(differing.flat()).toEqual([]);
});
