import type { OtlpRequest, Unread } from '@spanprism/core/sessions';

/** Longer than a child takes from an answer to its next export. */
const QUIET_MS = 10;
/** However much it sends. */
const MOST_MS = 100;

export interface InboxParts {
  readonly read: (request: OtlpRequest) => void;
  /** Told of what broke the reading of one export; the others are read all the same. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * What the child has sent and nobody has read. It is read when nothing has come for a moment: a child that ends sends one export after
 * the other, each when the one before is answered, and reading takes longer than answering.
 */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #unread: Unread[] = [];
  #oldestAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  put(unread: Unread): void {
    const now = performance.now();
    if (this.#unread.length === 0) this.#oldestAt = now;
    this.#unread.push(unread);
    clearTimeout(this.#timer);
    const left = Math.max(0, this.#oldestAt + MOST_MS - now);
    this.#timer = setTimeout(() => this.empty(), Math.min(QUIET_MS, left)).unref();
  }

  /** Reads all there is, in the order in which it came. */
  empty(): void {
    clearTimeout(this.#timer);
    for (const unread of this.#unread.splice(0)) {
      try {
        const request = unread();
        if (request !== undefined) this.#parts.read(request);
      } catch (error) {
        this.#parts.onTrouble(error);
      }
    }
  }
}
