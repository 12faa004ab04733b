import { expect, test } from 'vitest';
import { bytes, count, dollars, duration, tokens } from './figures.ts';

test.each([
  [0, '0 ms'],
  [0.2, '<1 ms'],
  [999, '999 ms'],
  [1_234, '1.23 s'],
  [99_960, '1 min 40 s'],
  [3_599_000, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [86_399_000, '23 h 59 min'],
  [183_600_000, '2 d 3 h'],
])('%f ms are %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});

test('one amount is shown alike, whatever it was added up from', () => {
  // 0.00655 + 0.0071 is a double below 0.01365, the sum of the same in nano-dollars is that very double.
  expect(dollars(0.013649999999999999)).toBe(dollars(0.01365));
  expect(dollars(-2.5)).toBe('-$2.50');
});

test('details are told where there is room', () => {
  const usage = { inputTokens: 5_500, cacheReadTokens: 4_000, outputTokens: 42 };
  expect(tokens(usage)).toBe('5,500 in (4,000 cached) → 42 out');
  expect(tokens(usage, 'short')).toBe('5,500 in → 42 out');
  expect(bytes(999_960)).toBe('1.0 MB');
});

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [-1_234_567, '-1,234,567'],
])('%i is counted as %s', (value, text) => {
  expect(count(value)).toBe(text);
});
