import type { OtlpRequest, Unread } from '@spanprism/core/sessions';

/** Longer than a child takes from an answer to its next export. */
const QUIET_MS = 10;
/** However much it sends. */
const MOST_MS = 100;

/**
 * What the child has sent and nobody has read. It is read when nothing has come for a moment: a child that ends sends one export after
 * the other, each when the one before is answered, and reading takes longer than answering.
 */
export class Inbox {
  readonly #read: (request: OtlpRequest) => void;
  readonly #unread: Unread[] = [];
  #oldestAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(read: (request: OtlpRequest) => void) {
    this.#read = read;
  }

  put(unread: Unread): void {
    const now = performance.now();
    if (this.#unread.length === 0) this.#oldestAt = now;
    this.#unread.push(unread);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.empty(), Math.min(QUIET_MS, this.#oldestAt + MOST_MS - now)).unref();
  }

  /** Reads all there is, in the order in which it came. */
  empty(): void {
    clearTimeout(this.#timer);
    for (const unread of this.#unread.splice(0)) {
      const request = unread();
      if (request !== undefined) this.#read(request);
    }
  }
}
