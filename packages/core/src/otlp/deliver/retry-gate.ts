import type { Timers } from './timers.ts';

/** How long to go on; full jitter: each wait is a random part of `initialMs` doubled per failure, at most `maxMs`. */
export interface RetryPolicy {
  readonly initialMs: number;
  readonly maxMs: number;
  /**
   * A record that is still undelivered this long after its first try is given up. A pause that the backend asks for is waited for
   * even when it ends later: the record is given up only if it is refused once more.
   */
  readonly maxElapsedMs: number;
}

/** Closed while the backend is to be left alone. One for all lanes: when it is down, it is down for all of them. */
export class RetryGate {
  readonly #policy: RetryPolicy;
  readonly #timers: Timers;
  readonly #random: () => number;
  #failures = 0;
  #opensAt = 0;
  #isServerWish = false;
  /** When the wait would have ended that a flush has cut short. */
  #hurriedUntil = 0;

  constructor(policy: RetryPolicy, timers: Timers, random: () => number) {
    this.#policy = policy;
    this.#timers = timers;
    this.#random = random;
  }

  /** Milliseconds until it opens; 0 = open. */
  get waitMs(): number {
    return Math.max(0, this.#opensAt - this.#timers.now());
  }

  /** True while it is the backend that asked for the pause. */
  get isServerWish(): boolean {
    return this.#isServerWish && this.waitMs > 0;
  }

  /** Closes after a failure; what the backend asked for beats our own wait. */
  fail(retryAfterMs?: number): void {
    const ceiling = Math.min(this.#policy.maxMs, this.#policy.initialMs * 2 ** Math.min(this.#failures, 30));
    const waitMs = retryAfterMs ?? this.#random() * ceiling;
    this.#failures += 1;
    const opensAt = this.#timers.now() + waitMs;
    // Another lane may have been told to wait longer.
    if (opensAt < this.#opensAt) return;
    this.#opensAt = opensAt;
    this.#isServerWish = retryAfterMs !== undefined;
  }

  succeed(): void {
    this.#failures = 0;
    this.#opensAt = 0;
    this.#hurriedUntil = 0;
  }

  /**
   * Somebody waits for a flush: try now, unless the backend asked for the pause. Each wait can be cut short once, or a program that
   * flushes after every piece of work would not leave a sick backend alone.
   */
  hurry(): void {
    const now = this.#timers.now();
    if (this.isServerWish || now < this.#hurriedUntil) return;
    this.#hurriedUntil = this.#opensAt;
    this.#opensAt = 0;
  }
}

const LONGEST_PAUSE_MS = 24 * 3_600_000;

/**
 * Milliseconds asked for by `Retry-After`, as seconds or as a date. A date is read against the server's own `Date`, so that a
 * wrong clock here does not matter. Undefined when there is none or it is nonsense; at most a day.
 */
export function readRetryAfter(
  headers: Readonly<Record<string, string | undefined>>,
  nowMs: number,
): number | undefined {
  const wish = headers['retry-after']?.trim();
  if (wish === undefined || wish === '') return undefined;
  const sentAt = Date.parse(headers['date'] ?? '');
  const ms = /^\d+$/.test(wish) ? Number(wish) * 1000 : Date.parse(wish) - (Number.isNaN(sentAt) ? nowMs : sentAt);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}
