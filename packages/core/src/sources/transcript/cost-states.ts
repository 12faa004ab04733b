import { subtractUsage, type Totals } from '../../model/usage.ts';
import { readModelUsage } from '../sdk/content.ts';
import { type Fields, numberIn } from '../sdk/guards.ts';

/**
 * The totals that a process leaves when it exits: sums since the session began, over all its processes, and in a fork those of the
 * session that it was forked from too.
 */
export class CostStates {
  budgetUsd: number | undefined;
  #latest: Totals | undefined;
  #previous: Totals | undefined;
  #hasExited = false;
  #isBaselineUnknown = false;

  read(row: Fields): void {
    const totals = readModelUsage(row['modelUsage']);
    if (totals === undefined) return;
    const costUsd = numberIn(row, 'totalCostUSD') ?? totals.costUsd;
    this.#latest = { usage: totals.usage, ...(costUsd === undefined ? {} : { costUsd }) };
    this.#hasExited = true;
  }

  /** A row was copied from the session that this one was forked from: what that had used is in these sums and not known. */
  sawCopy(): void {
    if (this.#previous === undefined) this.#isBaselineUnknown = true;
  }

  /** The process that wrote the rows so far has said its last word. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  get isOverBudget(): boolean {
    const costUsd = this.#latest?.costUsd;
    return this.budgetUsd !== undefined && costUsd !== undefined && costUsd >= this.budgetUsd;
  }

  /** What was used since the last time that this was asked; undefined when no new sums have come, or nothing is known to set them against. */
  take(): Totals | undefined {
    const [latest, previous] = [this.#latest, this.#previous];
    if (latest === undefined || latest === previous) return undefined;
    this.#previous = latest;
    if (previous === undefined) return this.#isBaselineUnknown ? undefined : latest;
    const usage = subtractUsage(latest.usage, previous.usage);
    if (latest.costUsd === undefined) return { usage };
    return { usage, costUsd: latest.costUsd - (previous.costUsd ?? 0) };
  }

  processEnded(): void {
    this.#hasExited = false;
    this.budgetUsd = undefined;
  }
}
