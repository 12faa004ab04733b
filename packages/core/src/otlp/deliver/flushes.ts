import type { Ledger } from './ledger.ts';
import type { Timers } from './timers.ts';

interface Waiter {
  /** The last record that this flush waits for. */
  readonly mark: number;
  /** How many up to the mark are still on their way. */
  open: number;
  readonly undeliveredBefore: number;
  readonly deadlineAt: number;
  readonly end: () => void;
}

/** What a flush did not achieve. */
export interface Lost {
  readonly count: number;
  /** How many of them are not given up. */
  readonly open: number;
}

/** The flushes under way; each waits for what was there when it began, and never longer than its deadline. */
export class Flushes {
  readonly #timers: Timers;
  readonly #ledger: Ledger;
  /** How many wait on disk. */
  readonly #held: () => number;
  readonly #explain: (lost: Lost) => Error;
  readonly #waiters = new Set<Waiter>();
  #told = 0;

  constructor(
    timers: Timers,
    ledger: Ledger,
    source: { readonly held: () => number; readonly explain: (lost: Lost) => Error },
  ) {
    this.#timers = timers;
    this.#ledger = ledger;
    this.#held = source.held;
    this.#explain = source.explain;
  }

  get size(): number {
    return this.#waiters.size;
  }

  begin(mark: number, open: number, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#timers.after(deadlineMs, () => waiter.end(), true);
      const waiter: Waiter = {
        mark,
        open,
        undeliveredBefore: this.#told,
        deadlineAt: this.#timers.now() + deadlineMs,
        end: () => {
          cancel();
          this.#waiters.delete(waiter);
          const open = waiter.open + this.#held();
          const count = open + this.#ledger.undelivered - waiter.undeliveredBefore;
          this.#told = this.#ledger.undelivered;
          if (count === 0) resolve();
          else reject(this.#explain({ count, open }));
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** A record has come to its end, whichever. */
  ended(sequence: number): void {
    for (const waiter of this.#waiters) if (sequence <= waiter.mark) waiter.open -= 1;
  }

  /** Ends those that have what they waited for, and those for which waiting is in vain: nothing will be tried before `idleUntil`. */
  endDone(idleUntil: number | undefined, isBacklogDone: boolean): void {
    for (const waiter of [...this.#waiters]) {
      const isInVain = idleUntil !== undefined && idleUntil > waiter.deadlineAt;
      if (isInVain || (waiter.open === 0 && isBacklogDone)) waiter.end();
    }
  }
}
