import type { UnixNano } from '../model/time.ts';
import { addUsage, isZeroUsage, subtractUsage, type Totals, type Usage } from '../model/usage.ts';

/** What one ended call says it used. */
export interface Entry {
  readonly endedAt: UnixNano;
  readonly usage: Usage | undefined;
  readonly costUsd: number | undefined;
}

/** The calls of one result interval, and what they leave of its totals. */
export interface Balance {
  readonly calls: number;
  readonly remainder: Totals | undefined;
}

/** Doubles that were added up in another order differ by less than this. */
const COST_EPSILON = 1e-9;

/**
 * Every call counts in exactly one result interval: the one in which it ended, whatever its tree. Calls enter when their span
 * ends and leave when the result that covers them is balanced.
 */
export class Ledger {
  #entries: Entry[] = [];

  add(entry: Entry): void {
    if (entry.usage === undefined && entry.costUsd === undefined) return;
    const last = this.#entries.at(-1);
    if (last === undefined || last.endedAt <= entry.endedAt) {
      this.#entries.push(entry);
      return;
    }
    const after = this.#entries.findLastIndex((other) => other.endedAt <= entry.endedAt);
    this.#entries.splice(after + 1, 0, entry);
  }

  /**
   * Which of the calls make up `totals`; without a time, all of them. The result's own time is blurred by a slow consumer and by two clocks, so figures come
   * first: if the earliest calls add up to the totals exactly, it is those; else it is those that had ended `by` then.
   */
  balance(totals: Totals, by?: UnixNano): Balance {
    const sum = new Sum();
    const ended =
      by === undefined ? this.#entries.length : this.#entries.findLastIndex((entry) => entry.endedAt <= by) + 1;
    let exact: number | undefined;
    let atTime: Totals | undefined = sum.remainderOf(totals);
    if (atTime === undefined) exact = 0;
    for (const [index, entry] of this.#entries.entries()) {
      sum.add(entry);
      const remainder = sum.remainderOf(totals);
      if (index + 1 === ended) atTime = remainder;
      // Calls that cost nothing at the boundary belong to the interval in whose time they ended.
      if (remainder === undefined && (exact === undefined || index < ended)) exact = index + 1;
    }
    return exact === undefined ? { calls: ended, remainder: atTime } : { calls: exact, remainder: undefined };
  }

  /** Calls that no totals will be set against one by one: only their sum is kept. */
  fold(): void {
    const last = this.#entries.at(-1);
    if (last === undefined) return;
    const sum = new Sum();
    for (const entry of this.#entries) sum.add(entry);
    this.#entries = [sum.entryAt(last.endedAt)];
  }

  clear(): void {
    this.#entries = [];
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Closes the interval: its calls are counted and forgotten. */
  settle(balance: Balance): void {
    this.#entries = this.#entries.slice(balance.calls);
  }
}

class Sum {
  #usage: Usage = {};
  #costUsd = 0;

  add(entry: Entry): void {
    if (entry.usage !== undefined) this.#usage = addUsage(this.#usage, entry.usage);
    this.#costUsd += entry.costUsd ?? 0;
  }

  entryAt(endedAt: UnixNano): Entry {
    return { endedAt, usage: this.#usage, costUsd: this.#costUsd };
  }

  remainderOf(totals: Totals): Totals | undefined {
    const usage = withoutUnknowableParts(subtractUsage(totals.usage, this.#usage));
    const cost = totals.costUsd === undefined ? 0 : totals.costUsd - this.#costUsd;
    const costIsSettled = Math.abs(cost) < COST_EPSILON;
    if (isZeroUsage(usage) && costIsSettled) return undefined;
    return costIsSettled ? { usage } : { usage, costUsd: cost };
  }
}

/**
 * Thinking and the two cache lifetimes are parts of output and cache writes which some sources do not split; where the whole
 * is accounted for, so are its parts.
 */
function withoutUnknowableParts(usage: Usage): Usage {
  const { thinkingTokens, cacheWrite5mTokens, cacheWrite1hTokens, ...wholes } = usage;
  const parts: { -readonly [K in keyof Usage]: Usage[K] } = { ...wholes };
  if (thinkingTokens !== undefined && usage.outputTokens !== 0) parts.thinkingTokens = thinkingTokens;
  if (usage.cacheWriteTokens === 0) return parts;
  if (cacheWrite5mTokens !== undefined) parts.cacheWrite5mTokens = cacheWrite5mTokens;
  if (cacheWrite1hTokens !== undefined) parts.cacheWrite1hTokens = cacheWrite1hTokens;
  return parts;
}
