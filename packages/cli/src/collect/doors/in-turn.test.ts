import { expect, test } from 'vitest';
import { inTurn } from './in-turn.ts';

test('so much is done at once, the rest in its order, and a failure gives up its place', async () => {
  const turn = inTurn(2);
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const all = Array.from({ length: 5 }, (_, index) =>
    turn(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(index);
          ends[index] = (error) => (error === undefined ? resolve(index) : reject(error));
        }),
    ),
  );
  const settled = Promise.allSettled(all);
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('failed'));
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await expect.poll(() => begun).toEqual([0, 1, 2, 3, 4]);
  ends[3]?.();
  ends[4]?.();
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
