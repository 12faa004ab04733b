import type { Totals, Usage } from '../model/usage.ts';

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** `1.2 s`, `340 ms`, `3 min 20 s`, `5 h 10 min`, `2 d 3 h`: no more digits than one can grasp. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 0.5) return '<1 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < HOUR_S) return `${Math.floor(whole / MINUTE_S)} min ${whole % MINUTE_S} s`;
  if (whole < DAY_S) return `${Math.floor(whole / HOUR_S)} h ${Math.floor((whole % HOUR_S) / MINUTE_S)} min`;
  return `${Math.floor(whole / DAY_S)} d ${Math.floor((whole % DAY_S) / HOUR_S)} h`;
}

/** `1,234`, of a whole number. Not by `toLocaleString`: the first use of it takes ten milliseconds. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `840 B`, `1.2 kB`, `10.0 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 999_950 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
}

/** `$0.0123`. */
export function dollars(usd: number): string {
  const sign = usd < 0 ? '-' : '';
  // Sums of doubles are off by some 1e-18; that must not decide how they are rounded, or one amount is shown as two.
  const size = Math.round(Math.abs(usd) * 1e9) / 1e9;
  return `${sign}$${size.toFixed(size >= 1 ? 2 : 4)}`;
}

/** How much of figures is told: where there is little room, not what was cached. */
export type Detail = 'all' | 'short';

/** `5,500 in (4,000 cached) → 42 out`; empty when nothing is known. */
export function tokens(usage: Usage | undefined, detail: Detail = 'all'): string {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return '';
  const cached = detail === 'all' ? usage.cacheReadTokens : 0;
  const input =
    usage.inputTokens === undefined
      ? '? in'
      : `${count(usage.inputTokens)} in${cached ? ` (${count(cached)} cached)` : ''}`;
  return `${input} → ${usage.outputTokens === undefined ? '?' : count(usage.outputTokens)} out`;
}

/** Tokens and cost of an interval. */
export function totalsText(totals: Totals | undefined, detail: Detail = 'all'): string {
  if (totals === undefined) return '';
  return [tokens(totals.usage, detail), totals.costUsd === undefined ? '' : dollars(totals.costUsd)]
    .filter((part) => part !== '')
    .join(' · ');
}
