import { expect, test } from 'vitest';
import { SharedLines } from './shared-lines.ts';

const BATCH_BYTES = 256 * 1024;
const large = (letter: string): string => letter.repeat(BATCH_BYTES);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function taken(lines: SharedLines, line: string): Uint8Array<SharedArrayBuffer> {
  expect(lines.add(line)).toBe(Buffer.byteLength(line));
  const memory = lines.take();
  expect(lines.bytes).toBe(0);
  return memory;
}

test('what was taken stays as it is until it is given back', () => {
  const lines = new SharedLines(BATCH_BYTES);
  const memory = ['a', 'b', 'c'].map((letter) => taken(lines, large(letter)));
  const small = taken(lines, 'small');
  for (const letter of ['d', 'e']) taken(lines, large(letter));
  expect(memory.map(textOf)).toEqual(['a', 'b', 'c'].map(large));
  expect(textOf(small)).toBe('small');
});

test('large memory that was given back is used again, once', () => {
  const lines = new SharedLines(BATCH_BYTES);
  taken(lines, large('a'));
  const second = taken(lines, large('b'));
  lines.giveBack(second);
  const blocks = ['c', 'd', 'e', 'f'].map((letter) => taken(lines, large(letter)).buffer);
  expect(blocks.filter((block) => block === second.buffer)).toHaveLength(1);
  expect(new Set(blocks).size).toBe(4);
});

test('a small batch, and a line that is larger than any batch, keep no more memory than they need', () => {
  const lines = new SharedLines(BATCH_BYTES);
  expect(taken(lines, 'small').buffer.byteLength).toBe(5);
  const huge = taken(lines, large('x').repeat(9));
  expect(textOf(huge)).toBe(large('x').repeat(9));
  lines.giveBack(huge);
  for (const letter of ['a', 'b']) expect(taken(lines, large(letter)).buffer).not.toBe(huge.buffer);
});
