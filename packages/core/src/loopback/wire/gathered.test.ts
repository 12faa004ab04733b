import { afterEach, expect, test, vi } from 'vitest';
import { Gathered } from './gathered.ts';

afterEach(() => void vi.restoreAllMocks());

test.each([0, 4, 11, 100])('pieces are one, in order, with %i bytes expected', (expected) => {
  const gathered = new Gathered(expected);
  for (const piece of ['[hello]', '[ world]']) gathered.add(Buffer.from(piece), 1, piece.length - 1);
  expect(gathered.length).toBe(11);
  expect(Buffer.from(gathered.bytes).toString()).toBe('hello world');
  expect(new Gathered(expected).bytes).toHaveLength(0);
});

test('what anybody left in its memory does not go along', () => {
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => Buffer.from(new ArrayBuffer(size)).fill('sk-ant-'));
  const gathered = new Gathered(100);
  gathered.add(Buffer.from('hello'), 0, 5);
  expect(Buffer.from(gathered.bytes.buffer).toString()).toBe('hello'.padEnd(100, '\0'));
});
