import { dollars as oneAmount } from '@spanprism/core/terminal';
import type { StoredRun } from '@spanprism/store';
import { CommandError } from '../command.ts';
import { quoted } from './document.ts';

/** Costs are counted in whole nano-dollars, so that sums are exact in every order. */
const NANOS_PER_USD = 1e9;

/** As a number of dollars: the double that prints as exactly these (at most nine) places. */
export function usdFromNanos(nanos: number): number {
  return nanos / NANOS_PER_USD;
}

/** From what a user writes (`0.5`, `$12`), exactly. */
export function readDollars(option: string, text: string): number {
  const [, whole, places = ''] = /^\$?(\d{1,6})(?:\.(\d{1,9}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) {
    throw new CommandError({
      what: `--${option} ${quoted(text)} is no amount of dollars`,
      fix: 'give a number such as 0.50',
    });
  }
  return Number(whole) * NANOS_PER_USD + Number(places.padEnd(9, '0'));
}

/** From here on nobody wants to see hundredths of a cent. */
const LARGE = 100 * NANOS_PER_USD;

/**
 * The rows of a column as dollars. Rounded on their own they would not add up to their rounded total; here they do: what is left over goes
 * to the rows that lost most by rounding.
 */
export function dollarsOf(rows: readonly number[], total: number): { rows: readonly string[]; total: string } {
  const places = Math.abs(total) >= LARGE ? 2 : 4;
  const unit = 10 ** (9 - places);
  const units = rows.map((nanos) => Math.floor(nanos / unit));
  let missing = Math.round(total / unit) - units.reduce((sum, value) => sum + value, 0);
  const byLoss = rows.map((nanos, index) => [nanos - (units[index] ?? 0) * unit, index] as const);
  byLoss.sort(([left], [right]) => right - left);
  for (const [loss, index] of byLoss) {
    if (missing <= 0 || loss === 0) break;
    units[index] = (units[index] ?? 0) + 1;
    missing -= 1;
  }
  return {
    rows: units.map((value) => spelled(value, places)),
    total: spelled(Math.round(total / unit), places),
  };
}

/** One amount on its own, as everywhere. */
export function dollars(nanos: number): string {
  return oneAmount(usdFromNanos(nanos));
}

/** Where an amount would stand that nobody told. */
export const UNKNOWN_AMOUNT = '–';

/** What some model calls cost. */
export interface Priced {
  readonly calls: number;
  /** Calls among them whose cost nobody told. */
  readonly unpricedCalls: number;
  readonly costNanoUsd: number;
}

/** Nobody told what any of these calls cost: a sum of 0 is none. */
export function isCostUnknown({ calls, unpricedCalls, costNanoUsd }: Priced): boolean {
  return calls > 0 && unpricedCalls === calls && costNanoUsd === 0;
}

/** A column of costs and its total, to which the amounts in it add up. */
export function costColumn(rows: readonly Priced[], total: Priced): { rows: readonly string[]; total: string } {
  if (isCostUnknown(total)) return { rows: rows.map(() => UNKNOWN_AMOUNT), total: UNKNOWN_AMOUNT };
  const amounts = dollarsOf(
    rows.map(({ costNanoUsd }) => costNanoUsd),
    total.costNanoUsd,
  );
  return {
    ...amounts,
    rows: amounts.rows.map((amount, index) => (isCostUnknown(rows[index] ?? total) ? UNKNOWN_AMOUNT : amount)),
  };
}

/** The rows of a grouping. Stores count what is unknown in all of it: calls that cost nothing where as many are unknown are taken for those. */
export function groupedCosts(
  rows: readonly Pick<Priced, 'calls' | 'costNanoUsd'>[],
  total: Priced,
  countsTools: boolean,
): ReturnType<typeof costColumn> {
  const priced = rows.map(({ calls, costNanoUsd }): Priced => {
    const modelCalls = countsTools ? 0 : calls;
    return { calls: modelCalls, unpricedCalls: Math.min(modelCalls, total.unpricedCalls), costNanoUsd };
  });
  return costColumn(priced, total);
}

/** Of a run. */
export function pricedRun({ llmCalls, unpricedCalls, costNanoUsd }: PricedRun): Priced {
  return { calls: llmCalls, unpricedCalls, costNanoUsd };
}

type PricedRun = Pick<StoredRun, 'llmCalls' | 'unpricedCalls' | 'costNanoUsd'>;

export function costOf(run: PricedRun): string {
  return isCostUnknown(pricedRun(run)) ? UNKNOWN_AMOUNT : dollars(run.costNanoUsd);
}

function spelled(units: number, places: number): string {
  const digits = String(Math.abs(units)).padStart(places + 1, '0');
  const whole = digits.slice(0, -places).replace(/\B(?=(?:\d{3})+$)/g, ',');
  return `${units < 0 ? '-' : ''}$${whole}.${digits.slice(-places)}`;
}
