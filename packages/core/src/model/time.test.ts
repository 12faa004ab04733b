import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isoFromUnixNano, msFromUnixNano, systemClock, unixNanoFromIso } from './time.ts';

describe('unixNanoFromIso', () => {
  // `Date.parse` is the reference, whatever was read before.
  test.each([
    '2026-11-21T08:27:03.250Z',
    '2026-11-21T08:27:59.999Z',
    '2026-11-21T08:28:00.000Z',
    '2026-11-21T08:27:03.251Z',
    '1969-12-31T23:59:59.999Z',
    '2024-02-29T23:59:60.000Z',
    '2026-11-21T08:27:61.000Z',
    '2026-11-21T08:27:0x.000Z',
    '2026-11-21T08:27:00.00xZ',
    '2026-11-21T08:27:00.0000Z',
    '2026-11-21T08:27:03+02:00',
    '2026-13-21T08:27:03.250Z',
    'xxxx-11-21T08:27:03.250Z',
    '2026-11-21 08:27:03.250Z',
    '',
  ])('%j is read as by Date.parse', (text) => {
    const ms = Date.parse(text);
    const expected = Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n;
    expect(unixNanoFromIso(text)).toBe(expected);
    expect(unixNanoFromIso(text)).toBe(expected);
  });
});

test.each([
  ['2026-11-21T08:27:03.250Z', 1_795_249_623_250_000_000n],
  ['2026-11-21T08:27:03.250250001Z', 1_795_249_623_250_250_001n],
  ['2026-11-21T08:27:03.000000500Z', 1_795_249_623_000_000_500n],
])('%s is written with as many digits as it takes', (iso, time) => {
  expect(isoFromUnixNano(time)).toBe(iso);
});

describe('the system’s clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  const secondsOff = (now: bigint): number => Math.abs(msFromUnixNano(now) - Date.now()) / 1_000;

  test.each([
    ['set forward, or the machine has slept', 8 * 3_600_000],
    ['set back', -8 * 3_600_000],
  ])('is believed when it was %s', (_name, byMs) => {
    const clock = systemClock();
    expect(secondsOff(clock.now())).toBeLessThan(1);
    vi.setSystemTime(Date.now() + byMs);
    expect(secondsOff(clock.now())).toBeLessThan(1);
  });

  test('is not followed in its small adjustments: what is measured goes on', () => {
    const clock = systemClock();
    const before = clock.now();
    vi.setSystemTime(Date.now() - 500);
    expect(clock.now() >= before).toBe(true);
  });
});
