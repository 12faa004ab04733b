import type { Diag } from '../../model/sink.ts';
import type { Timers } from './timers.ts';

const QUIET_MS = 60_000;
const MAX_QUOTE_CHARS = 200;

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

/** What a server said, on one line, cut, and without any of our header values: servers like to quote the key they refuse. */
export function quote(text: string, headers: Readonly<Record<string, string>>): string {
  let safe = text;
  for (const secret of Object.values(headers).flatMap((value) => [value, ...value.split(/[\s,;=]+/)])) {
    if (secret.length >= 6) safe = safe.replaceAll(secret, '***');
  }
  // \p{C}: control characters and whatever else a terminal might obey.
  return safe
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_QUOTE_CHARS);
}

/** The URL as it may be shown: neither user nor query, where keys live. */
export function shownUrl(url: URL): string {
  return url.origin + url.pathname;
}
