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

  /** Put on disk for later. */
  spool(count: number): void {
    this.#spooled += count;
  }

  /** Left on disk for another process: not lost, but no longer ours to deliver. */
  handOver(count: number): void {
    this.#undelivered += count;
  }

  /** All that this process has given up, so far. */
  get undelivered(): number {
    return this.#undelivered;
  }

  stats(queued: number): DeliveryStats {
    return { delivered: this.#delivered, queued, dropped: Object.fromEntries(this.#dropped), spooled: this.#spooled };
  }
}
