import type { Diag } from '../../model/sink.ts';
import { systemTimers, type Timers } from './timers.ts';

const QUIET_MS = 60_000;

/** Tells diagnostics what is wrong with a backend. */
export interface Complaints {
  /** `kind`: what is the same trouble when it comes again. */
  say(level: 'warn' | 'error', kind: string, line: string): void;
}

/** One diagnostic line per kind of trouble and minute; what was held back is told with the next one. */
export class RareComplaints implements Complaints {
  readonly #diag: Diag;
  readonly #timers: Timers;
  readonly #last = new Map<string, { at: number; heldBack: number }>();

  constructor(diag: Diag, timers: Timers = systemTimers()) {
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
