import { isNegativeUsage, subtractUsage, type Totals } from '../../model/usage.ts';
import { readModelUsage } from '../sdk/content.ts';
import { type Fields, numberIn } from '../sdk/guards.ts';

export interface CopiedRow {
  /** The session that it was copied from. */
  readonly sessionId: string;
  readonly rowId: string;
}

/** What that session had used when it was copied, as far as that row; undefined where nobody can tell. */
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
  #copied: CopiedRow | undefined;

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
    if (this.#previous === undefined) this.#copied = copied;
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
    if (previous !== undefined) return difference(latest, previous);
    if (this.#copied === undefined) return latest;
    const before = this.#baseline(this.#copied);
    const own = before === undefined ? undefined : difference(latest, before);
    // Sums that shrink are not of that session.
    return own === undefined || hasNegative(own) ? undefined : own;
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
  const costUsd = numberIn(row, 'totalCostUSD') ?? totals.costUsd;
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
