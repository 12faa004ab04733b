import type { DeliveryStats } from './delivery-options.ts';

/** Every record ends here, in one of three ways. */
export class Ledger {
  #delivered = 0;
  #spooled = 0;
  readonly #dropped = new Map<string, number>();
  #undelivered = 0;

  deliver(count: number): void {
    this.#delivered += count;
  }

  /** Lost for good, and why. */
  drop(reason: string, count: number): void {
    if (count === 0) return;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
    this.#undelivered += count;
  }

  /** Safe on disk, but not where it should be. */
  spool(count: number): void {
    this.#spooled += count;
    this.#undelivered += count;
  }

  /** All that was not delivered, so far. */
  get undelivered(): number {
    return this.#undelivered;
  }

  stats(queued: number): DeliveryStats {
    return { delivered: this.#delivered, queued, dropped: Object.fromEntries(this.#dropped), spooled: this.#spooled };
  }
}
