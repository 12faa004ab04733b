import { expect, test } from 'vitest';
import { costColumn, costOf, dollars, dollarsOf, groupedCosts, readDollars, usdFromNanos } from './money.ts';

const sumOf = (texts: readonly string[]): number =>
  Math.round(texts.reduce((sum, text) => sum + Number(text.replace(/[$,]/g, '')), 0) * 1e4) / 1e4;

test('rows that are rounded still add up to their total', () => {
  // Each is $0.00333…: rounded on their own they would give $0.0099 of a total of $0.0100.
  expect(dollarsOf([3_333_334, 3_333_333, 3_333_333], 10_000_000)).toEqual({
    rows: ['$0.0034', '$0.0033', '$0.0033'],
    total: '$0.0100',
  });
  expect(dollarsOf([150_000, -50_000], 100_000)).toEqual({ rows: ['$0.0002', '-$0.0001'], total: '$0.0001' });
  expect(dollarsOf([], 0)).toEqual({ rows: [], total: '$0.0000' });
});

test('so do rows of every size', () => {
  let seed = 7;
  const next = (limit: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % limit;
  };
  for (let round = 0; round < 300; round += 1) {
    const rows = Array.from({ length: 1 + next(40) }, () => next(10 ** (1 + next(10))));
    const total = rows.reduce((sum, value) => sum + value, 0);
    const { rows: texts, total: text } = dollarsOf(rows, total);
    expect(sumOf(texts)).toBe(sumOf([text]));
    expect(Math.abs(sumOf([text]) * 1e9 - total)).toBeLessThanOrEqual(total >= 1e11 ? 5e6 : 5e4);
  }
});

test('amounts are spelled for people', () => {
  expect(dollars(12_345_678)).toBe('$0.0123');
  expect(dollarsOf([-1_500_000_000, 1_234_567_890_000_000], 1_234_566_390_000_000)).toEqual({
    rows: ['-$1.50', '$1,234,567.89'],
    total: '$1,234,566.39',
  });
});

test('a number of dollars prints as its nano-dollars, digit by digit', () => {
  for (const nanos of [0, 1, 6_555_000, 123_456_789, 999_999_999_999_999]) {
    const [whole = '', places = ''] = String(usdFromNanos(nanos)).includes('e')
      ? usdFromNanos(nanos).toFixed(9).split('.')
      : String(usdFromNanos(nanos)).split('.');
    expect(BigInt(whole + places.padEnd(9, '0'))).toBe(BigInt(nanos));
  }
});

test('what a user writes is read exactly or refused', () => {
  expect(readDollars('min-cost', '0.1')).toBe(100_000_000);
  expect(readDollars('min-cost', '$12')).toBe(12_000_000_000);
  for (const text of ['', '1,5', '-1', 'abc', '1e3', '.5']) {
    expect(() => readDollars('min-cost', text)).toThrow('is no amount of dollars');
  }
});

test('what nobody told is unknown, and not nothing', () => {
  expect(costOf({ llmCalls: 2, unpricedCalls: 2, costNanoUsd: 0 })).toBe('–');
  // The turns' totals may know what the calls do not.
  expect(costOf({ llmCalls: 2, unpricedCalls: 2, costNanoUsd: 500_000_000 })).toBe('$0.5000');
  expect(costOf({ llmCalls: 2, unpricedCalls: 1, costNanoUsd: 0 })).toBe('$0.0000');
  expect(costOf({ llmCalls: 0, unpricedCalls: 0, costNanoUsd: 0 })).toBe('$0.0000');
});

test('in a column only what nobody told is unknown, and the rest adds up', () => {
  const priced = (calls: number, unpricedCalls: number, costNanoUsd: number) => ({ calls, unpricedCalls, costNanoUsd });
  const total = priced(5, 2, 1_500_000_000);
  expect(costColumn([priced(3, 0, 1_500_000_000), priced(2, 2, 0), priced(0, 0, 0)], total)).toEqual({
    rows: ['$1.5000', '–', '$0.0000'],
    total: '$1.5000',
  });
  expect(costColumn([priced(0, 0, 0)], priced(2, 2, 0))).toEqual({ rows: ['–'], total: '–' });
});

test('a group of a store costs nothing where all is known, and tools are given what their calls cost', () => {
  const rows = [
    { calls: 2, costNanoUsd: 0 },
    { calls: 1, costNanoUsd: 10_000_000 },
  ];
  const known = { calls: 3, unpricedCalls: 0, costNanoUsd: 10_000_000 };
  expect(groupedCosts(rows, known, false).rows).toEqual(['$0.0000', '$0.0100']);
  expect(groupedCosts(rows, { ...known, unpricedCalls: 2 }, false).rows).toEqual(['–', '$0.0100']);
  expect(groupedCosts(rows, { ...known, unpricedCalls: 2 }, true).rows).toEqual(['$0.0000', '$0.0100']);
});
