import { expect, test } from 'vitest';
import { costOf, usageFromExclusive } from './usage.ts';

test('input counts cache reads and writes, as OpenTelemetry has it', () => {
  const usage = usageFromExclusive({ input: 5, cacheRead: 128_955, cacheWrite: 1_253, output: 7 });
  expect(usage).toEqual({ inputTokens: 130_213, cacheReadTokens: 128_955, cacheWriteTokens: 1_253, outputTokens: 7 });
});

test.each([1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 1e300])(
  '%d is no number of tokens: it is not known, and neither is the sum that it is part of',
  (odd) => {
    expect(usageFromExclusive({ input: odd, output: 2 })).toEqual({ outputTokens: 2 });
    expect(usageFromExclusive({ input: 5, output: odd })).toEqual({ inputTokens: 5 });
    expect(usageFromExclusive({ input: 5, cacheRead: odd })).toBeUndefined();
    expect(usageFromExclusive({ input: 5, cacheRead: 1, cacheWrite: odd })).toEqual({ cacheReadTokens: 1 });
    expect(usageFromExclusive({ output: odd, thinking: odd })).toBeUndefined();
  },
);

test.each([-0.01, Number.NaN, Number.POSITIVE_INFINITY, 36_028_797_018.96])('%d dollars are no cost', (odd) => {
  expect(costOf(odd)).toBeUndefined();
});

test('a cost is as it was told', () => {
  expect([0, 0.0071652, 12_345.6].map(costOf)).toEqual([0, 0.0071652, 12_345.6]);
});
