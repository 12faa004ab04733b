import { costOf, isNegativeUsage, subtractUsage, type Totals } from '../../model/usage.ts';
import { readModelUsage } from '../sdk/content.ts';
import { type Fields, numberIn } from '../sdk/guards.ts';

export interface CopiedRow {
  /** The session that it was copied from. */
  readonly sessionId: string;
  readonly rowId: string;
}

/** The sums of that session when it was copied, where its process exited after that row; undefined where nobody can tell. */
export type Baseline = (copied: CopiedRow) => Totals | undefined;

/**
 * The totals that a process leaves when it exits: sums since the session began, over all its processes, and in a fork those of the
 * session that it was forked from too.
 */
export class CostStates {
  budgetUsd: number | undefined;
  #latest: Totals | undefined;
  #previous: Totals | undefined;
  #hasExited = false;
  readonly #baseline: Baseline;
  /** The latest, until its turn is over. */
  #copied: CopiedRow | undefined;
  /** What `#previous` is when it is of the other session. */
  #base: Totals | undefined;
  #isBaseUnknown = false;

  constructor(baseline: Baseline = () => undefined) {
    this.#baseline = baseline;
  }

  read(row: Fields): void {
    const totals = totalsIn(row);
    if (totals === undefined) return;
    this.#latest = totals;
    this.#hasExited = true;
  }

  /** A row was copied from the session that this one was forked from: what that had used is in these sums. */
  sawCopy(copied: CopiedRow): void {
    this.#copied = copied;
  }

  /** The process that wrote the rows so far has said its last word. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  get isOverBudget(): boolean {
    const costUsd = this.#latest?.costUsd;
    return this.budgetUsd !== undefined && costUsd !== undefined && costUsd >= this.budgetUsd;
  }

  /**
   * What was used since the last time that this was asked; undefined when no new sums have come, or nothing is known to set them against.
   * Of copied turns it is what the other session told, so that the fork is not set against their calls.
   */
  take(): Totals | undefined {
    const ofCopied = this.#takeCopied();
    const [latest, previous] = [this.#latest, this.#previous];
    if (latest === undefined || latest === previous) return ofCopied;
    const isUnknown = this.#isBaseUnknown;
    this.#previous = latest;
    this.#isBaseUnknown = false;
    if (isUnknown) return undefined;
    if (previous === undefined) return latest;
    const own = difference(latest, previous);
    // Sums that shrink did not begin with those.
    return previous === this.#base && hasNegative(own) ? undefined : own;
  }

  #takeCopied(): Totals | undefined {
    const [copied, previous] = [this.#copied, this.#previous];
    if (copied === undefined) return undefined;
    this.#copied = undefined;
    const sums = this.#baseline(copied);
    this.#isBaseUnknown = sums === undefined;
    if (sums === undefined) return undefined;
    this.#base = sums;
    this.#previous = sums;
    return previous === undefined ? sums : difference(sums, previous);
  }

  processEnded(): void {
    this.#hasExited = false;
    this.budgetUsd = undefined;
  }
}

/** The sums in a `cost-state` row. */
export function totalsIn(row: Fields): Totals | undefined {
  const totals = readModelUsage(row['modelUsage']);
  if (totals === undefined) return undefined;
  const costUsd = costOf(numberIn(row, 'totalCostUSD')) ?? totals.costUsd;
  return { usage: totals.usage, ...(costUsd === undefined ? {} : { costUsd }) };
}

function difference(latest: Totals, previous: Totals): Totals {
  const usage = subtractUsage(latest.usage, previous.usage);
  if (latest.costUsd === undefined) return { usage };
  return { usage, costUsd: latest.costUsd - (previous.costUsd ?? 0) };
}

function hasNegative({ usage, costUsd = 0 }: Totals): boolean {
  return isNegativeUsage(usage) || costUsd < 0;
}
