import { describe, expect, test } from 'vitest';
import type { Totals } from '../model/usage.ts';
import { Ledger } from './ledger.ts';

function ledger(...calls: readonly (readonly [endedAt: number, output: number, costUsd?: number])[]): Ledger {
  const book = new Ledger();
  for (const [endedAt, outputTokens, costUsd] of calls)
    book.add({ endedAt: BigInt(endedAt), usage: { outputTokens }, costUsd });
  return book;
}

const totals = (outputTokens: number, costUsd?: number): Totals => ({
  usage: { outputTokens },
  ...(costUsd === undefined ? {} : { costUsd }),
});

describe('the calls of a result', () => {
  test.each<
    [string, readonly (readonly [number, number, number?])[], Totals, number | undefined, number, Totals | undefined]
  >([
    [
      'are those that had ended by then',
      [
        [1, 10],
        [2, 5],
        [9, 7],
      ],
      totals(20),
      5,
      2,
      totals(5),
    ],
    [
      'are the earliest that add up to it, whatever the time',
      [
        [1, 10],
        [2, 5],
        [9, 7],
      ],
      totals(22),
      5,
      3,
      undefined,
    ],
    [
      'are fewer than had ended, where fewer add up',
      [
        [1, 10],
        [2, 5],
      ],
      totals(10),
      5,
      1,
      undefined,
    ],
    ['are none where it is nothing', [[9, 5]], totals(0), 5, 0, undefined],
    [
      'are all without a time',
      [
        [1, 10],
        [9, 5],
      ],
      totals(20),
      undefined,
      2,
      totals(5),
    ],
    ['may hold more than it', [[1, 10]], totals(7), 5, 1, totals(-3)],
    [
      'are in the order of their ends, not of their arrival',
      [
        [9, 7],
        [1, 10],
        [2, 5],
      ],
      totals(15),
      5,
      2,
      undefined,
    ],
    [
      'add up in money too',
      [
        [1, 10, 0.1],
        [2, 5, 0.2],
      ],
      totals(15, 0.3),
      5,
      2,
      undefined,
    ],
    ['leave money over', [[1, 10, 0.25]], totals(10, 0.75), 5, 1, { usage: { outputTokens: 0 }, costUsd: 0.5 }],
    [
      'that cost nothing at the boundary belong to their time',
      [
        [1, 10],
        [2, 0],
        [9, 0],
      ],
      totals(10),
      5,
      2,
      undefined,
    ],
  ])('%s', (_, calls, sum, by, counted, remainder) => {
    expect(ledger(...calls).balance(sum, by === undefined ? undefined : BigInt(by))).toEqual({
      calls: counted,
      remainder,
    });
  });

  test('count once: the next result finds them gone', () => {
    const book = ledger([1, 10], [2, 5]);
    book.settle(book.balance(totals(10), 5n));
    expect(book.size).toBe(1);
    expect(book.balance(totals(5), 9n)).toEqual({ calls: 1, remainder: undefined });
  });

  test('that nobody will set against totals are kept as one sum', () => {
    const book = ledger([1, 10], [2, 5]);
    book.fold();
    expect(book.size).toBe(1);
    expect(book.balance(totals(15))).toEqual({ calls: 1, remainder: undefined });
  });
});
