import { expect, test } from 'vitest';
import { fillRandom } from './random-bytes.ts';

test('fills every byte, otherwise each time', () => {
  const [first = Buffer.alloc(0), ...others] = Array.from({ length: 4 }, () => {
    const bytes = Buffer.alloc(64);
    fillRandom(bytes);
    return bytes;
  });
  for (const other of others) expect(other.equals(first)).toBe(false);
  // One that nobody fills stays zero; by chance it is so in all four once in 2^32.
  const blank = [...first.keys()].filter((index) => [first, ...others].every((bytes) => bytes[index] === 0));
  expect(blank).toEqual([]);
});
