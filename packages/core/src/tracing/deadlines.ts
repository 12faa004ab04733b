import type { Assembler } from '../assemble/assembler.ts';
import type { Guard } from '../sources/sdk/query-watch.ts';

/** Milliseconds within which the CLI sends the rest of what it has begun to send. */
const NEXT_EXPORT_MS = 600;

export interface DeadlineParts {
  readonly assembler: Assembler;
  readonly guard: Guard;
  /** Reads what has been received; true when that was anything. */
  readonly drain: () => boolean;
  /** Told after a sweep; true when there is nothing more to wait for. */
  readonly isDone: () => boolean;
}

/** Wakes up when a span has waited long enough for another source. Never keeps the process alive. */
export class Deadlines {
  readonly #parts: DeadlineParts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
  }

  arm(afterMs?: number): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const waitMs = afterMs ?? this.#parts.assembler.nextDeadlineMs();
    if (waitMs === undefined) return;
    this.#timer = setTimeout(() => this.#wake(), waitMs + 1);
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wake(): void {
    const { assembler, guard, drain, isDone } = this.#parts;
    // A busy program finds the telemetry late, not the CLI sent it late: what has arrived is read before anything ends without it.
    const hasNews = drain();
    // Not before: a batch that is read here would set a timer of its own, for a deadline that has passed.
    this.#timer = undefined;
    if (hasNews) return this.arm(NEXT_EXPORT_MS);
    guard('settle', () => assembler.sweep());
    if (!isDone()) this.arm();
  }
}
