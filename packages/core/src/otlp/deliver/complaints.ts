import type { Diag } from '../../model/sink.ts';
import type { Timers } from './timers.ts';

const QUIET_MS = 60_000;

/** One diagnostic line per kind of trouble and minute; what was held back is told with the next one. */
export class Complaints {
  readonly #diag: Diag;
  readonly #timers: Timers;
  readonly #last = new Map<string, { at: number; heldBack: number }>();

  constructor(diag: Diag, timers: Timers) {
    this.#diag = diag;
    this.#timers = timers;
  }

  say(level: 'warn' | 'error', kind: string, line: string): void {
    const now = this.#timers.now();
    const last = this.#last.get(kind);
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.heldBack += 1;
      return;
    }
    this.#last.set(kind, { at: now, heldBack: 0 });
    const repeated = last === undefined || last.heldBack === 0 ? '' : ` (${last.heldBack} more like this in between)`;
    try {
      this.#diag(level, line + repeated);
    } catch {
      // The user's logger: nothing of ours may stop because it does.
    }
  }
}
