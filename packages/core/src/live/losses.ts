/** Spans that a vendor's SDK did not deliver, by reason. Each reason is told once: the tenth of the same says nothing new. */
export class Losses {
  readonly byReason: Map<string, number> = new Map();
  #sinceTaken = 0;

  /** `tell` is for what went wrong, which fails the next flush; without it, spans were left out as somebody wished. */
  add(reason: string, count: number, tell?: () => void): void {
    if (count === 0) return;
    const before = this.byReason.get(reason) ?? 0;
    this.byReason.set(reason, before + count);
    if (tell === undefined) return;
    this.#sinceTaken += count;
    if (before === 0) tell();
  }

  /** How many went wrong since this was asked last. */
  take(): number {
    const count = this.#sinceTaken;
    this.#sinceTaken = 0;
    return count;
  }
}
