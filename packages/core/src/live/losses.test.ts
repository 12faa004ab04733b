import { expect, test } from 'vitest';
import { Losses } from './losses.ts';

test('each reason is told once, and all of it is counted', () => {
  const losses = new Losses();
  const told: string[] = [];
  for (const reason of ['http_401', 'http_401', 'http_413']) losses.add(reason, 2, () => told.push(reason));
  expect(told).toEqual(['http_401', 'http_413']);
  expect(Object.fromEntries(losses.byReason)).toEqual({ http_401: 4, http_413: 2 });
  expect([losses.take(), losses.take()]).toEqual([6, 0]);
});

test('what was left out as somebody wished fails nothing, and nothing at all is no loss', () => {
  const losses = new Losses();
  losses.add('sampled_out', 3);
  losses.add('http_401', 0, () => expect.unreachable());
  expect([Object.fromEntries(losses.byReason), losses.take()]).toEqual([{ sampled_out: 3 }, 0]);
});
