import { expect, test } from 'vitest';
import { type Edge, readInstant } from './instant.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const iso = (text: string, edge: Edge = 'start'): string =>
  new Date(Number(readInstant('since', text, { now, edge }) / 1_000_000n)).toISOString();

test.each([
  ['90s', '2026-11-21T11:58:30.000Z'],
  ['30m', '2026-11-21T11:30:00.000Z'],
  ['2h', '2026-11-21T10:00:00.000Z'],
  ['1.5h', '2026-11-21T10:30:00.000Z'],
  ['7d', '2026-11-14T12:00:00.000Z'],
  ['2w', '2026-11-07T12:00:00.000Z'],
  ['99999w', '1970-01-01T00:00:00.000Z'],
  ['2026-11-20T08:30Z', '2026-11-20T08:30:00.000Z'],
  ['2026-11-20 08:30:15.250+02:00', '2026-11-20T06:30:15.250Z'],
])('%s is %s', (text, expected) => {
  expect(iso(text)).toBe(expected);
});

test('a date is a day of the local zone: from its first instant, until the next one begins', () => {
  expect(iso('2026-03-01')).toBe(new Date(2026, 2, 1).toISOString());
  expect(iso('2026-03-01', 'end')).toBe(new Date(2026, 2, 2).toISOString());
  expect(iso('2026-03-01T10:00')).toBe(new Date(2026, 2, 1, 10).toISOString());
});

test.each(['', 'yes', '2x', '-2h', '2026-13-01', '2026-02-31', '2026-02-31T10:00', '2026-11-20T25:00', '12', 'h'])(
  '%j is refused, and the message says what to write',
  (text) => {
    expect(() => iso(text)).toThrow(`--since ${JSON.stringify(text)} is no time; give how long ago (90m, 2h, 7d)`);
  },
);
