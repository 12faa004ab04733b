import { agent, SAMPLE_TRACES } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { encodeSpan } from '../canonical-json.ts';
import { fieldsOf, rowOf } from '../span-row.ts';
import { RowPacker, unpackRows } from './packed-rows.ts';

const spans = Object.values(SAMPLE_TRACES).flat();

test('rows come out as they went in, also through a copy between threads, and whatever was packed before', () => {
  const packer = new RowPacker();
  for (const packed of [spans, spans.toReversed(), []]) {
    for (const span of packed) packer.add(fieldsOf(span), encodeSpan(span));
    expect(packer.count).toBe(packed.length);
    const rows = packer.take();
    packer.add(fieldsOf(spans[0] as (typeof spans)[0]), 'x'.repeat(10_000));
    packer.take();
    expect(unpackRows(structuredClone(rows)).map(plain)).toEqual(packed.map(rowOf).map(plain));
  }
});

test('a line of any length finds room', () => {
  const packer = new RowPacker();
  const lines = [1, 40_000, 3_000_000, 2].map((length) => 'é€x'.repeat(length));
  const bytes = lines.map((line) => packer.add(fieldsOf(agent({ id: 1, ms: [0, 1] })), line));
  expect(bytes).toEqual(lines.map((line) => new TextEncoder().encode(line).length));
  expect(packer.isFull).toBe(true);
  expect(unpackRows(packer.take()).map(({ line }) => new TextDecoder().decode(line))).toEqual(lines);
  expect(packer.isFull).toBe(false);
});

/** Bytes as text, whatever memory they are in. */
function plain<Row extends { readonly line: Uint8Array; readonly key: Uint8Array }>({
  line,
  key,
  ...row
}: Row): unknown {
  return { ...row, line: Buffer.from(line).toString(), key: Buffer.from(key).toString('hex') };
}
