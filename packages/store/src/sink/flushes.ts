interface Waiting {
  readonly upTo: number;
  readonly resolve: () => void;
}

/** Those who wait until a batch, and all before it, is settled. */
export class Flushes {
  readonly #waiting: Set<Waiting> = new Set();
  readonly #hold: (isHeld: boolean) => void;

  constructor(hold: (isHeld: boolean) => void) {
    this.#hold = hold;
  }

  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** True when it was settled in time. */
  async wait(upTo: number, deadlineMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waiting: Waiting | undefined;
    const settled = new Promise<boolean>((resolve) => {
      waiting = { upTo, resolve: () => resolve(true) };
      this.#waiting.add(waiting);
      timer = setTimeout(() => resolve(false), deadlineMs);
    });
    if (this.#waiting.size === 1) this.#hold(true);
    const isSettled = await settled;
    clearTimeout(timer);
    if (waiting !== undefined) this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#hold(false);
    return isSettled;
  }

  /** `firstId` is the oldest batch that is not settled; undefined when all are. */
  settled(firstId: number | undefined): void {
    for (const waiting of this.#waiting) if (firstId === undefined || firstId > waiting.upTo) waiting.resolve();
  }
}
