import { expect, test } from 'vitest';
import { RetryGate } from './retry-gate.ts';

const timers = { now: () => 1_000, after: () => () => undefined };

test('the longest wait of several lanes holds, and so does whose wish it is', () => {
  const gate = new RetryGate({ initialMs: 500, maxMs: 500, maxElapsedMs: 1_000 }, timers, () => 1);
  gate.fail(60_000);
  gate.fail();
  gate.hurry();
  expect([gate.waitMs, gate.isServerWish]).toEqual([60_000, true]);
});
