import { CommandError } from '../command.ts';
import { quoted } from './document.ts';

const NANOS_PER_MS = 1_000_000n;
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

const LENGTH = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?$/;

/** Which side of a day a bare date means: `--since` its first instant, `--until`, which is exclusive, that of the next day. */
export type Edge = 'start' | 'end';

/** Nanoseconds since 1970 of what a user writes: `2h` and `7d` count back from now, dates are those of the local zone. */
export function readInstant(option: string, text: string, { now, edge }: { now: Date; edge: Edge }): bigint {
  const ms = back(text.trim(), now) ?? day(text.trim(), edge) ?? dateTime(text.trim());
  if (ms === undefined || Number.isNaN(ms)) {
    throw new CommandError({
      what: `--${option} ${quoted(text)} is no time`,
      fix: 'give how long ago (90m, 2h, 7d) or a date (2026-11-21, 2026-11-21T08:30, 2026-11-21T08:30Z)',
    });
  }
  return BigInt(Math.round(ms)) * NANOS_PER_MS;
}

function back(text: string, now: Date): number | undefined {
  const [, amount, unit] = LENGTH.exec(text) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  return unitMs === undefined ? undefined : Math.max(0, now.getTime() - Number(amount) * unitMs);
}

function day(text: string, edge: Edge): number | undefined {
  const [, year, month, date] = DATE.exec(text) ?? [];
  if (year === undefined) return undefined;
  const start = new Date(Number(year), Number(month) - 1, Number(date));
  // The 31st of February is no day, although `Date` makes one of it.
  if (start.getMonth() !== Number(month) - 1 || start.getDate() !== Number(date)) return undefined;
  if (edge === 'start') return start.getTime();
  return new Date(Number(year), Number(month) - 1, Number(date) + 1).getTime();
}

function dateTime(text: string): number | undefined {
  const [, date = '', time, zone = ''] = DATE_TIME.exec(text) ?? [];
  return time === undefined || day(date, 'start') === undefined ? undefined : Date.parse(`${date}T${time}${zone}`);
}
