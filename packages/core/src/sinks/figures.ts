import type { Totals, Usage } from '../model/usage.ts';

/** `1.2 s`, `340 ms`: three digits at most. */
export function duration(ms: number): string {
  if (ms < 1) return '<1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** `1,234`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `$0.0123`. */
export function dollars(usd: number): string {
  const sign = usd < 0 ? '-' : '';
  const size = Math.abs(usd);
  return `${sign}$${size.toFixed(size >= 1 ? 2 : 4)}`;
}

/** `5,500 in (4,000 cached) → 42 out`; empty when nothing is known. */
export function tokens(usage: Usage | undefined): string {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return '';
  const cached = usage.cacheReadTokens;
  const input =
    usage.inputTokens === undefined
      ? '? in'
      : `${count(usage.inputTokens)} in${cached ? ` (${count(cached)} cached)` : ''}`;
  return `${input} → ${usage.outputTokens === undefined ? '?' : count(usage.outputTokens)} out`;
}

/** Tokens and cost of an interval. */
export function totalsText(totals: Totals | undefined): string {
  if (totals === undefined) return '';
  return [tokens(totals.usage), totals.costUsd === undefined ? '' : dollars(totals.costUsd)]
    .filter((part) => part !== '')
    .join(' · ');
}
