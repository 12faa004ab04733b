import type { Partition } from './partition.ts';
import type { StoredRequest } from './spool/request-spool.ts';

const AT_ONCE = 16;
/** Of bodies. While there are more, nothing else is done. */
const MOST_BYTES = 1024 * 1024;

/** Requests that are on disk and answered, of which their sessions and endpoints have not been told: in their order, a few at a time. */
export class Untold {
  readonly #tell: (found: StoredRequest, parts: Partition) => void;
  #waiting: (readonly [StoredRequest, Partition])[] = [];
  #bytes = 0;

  constructor(tell: (found: StoredRequest, parts: Partition) => void) {
    this.#tell = tell;
  }

  add(found: StoredRequest, parts: Partition): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#tellSome());
    this.#waiting.push([found, parts]);
    this.#bytes += found.body.length;
  }

  /** Now. */
  tellAll(): void {
    this.#tellFirst(this.#waiting.length);
  }

  /** What comes in meanwhile is on its way to the disk while these are told: neither waits for the other. */
  #tellSome(): void {
    let count = 0;
    let bytesLeft = this.#bytes;
    for (const [{ body }] of this.#waiting) {
      if (count >= AT_ONCE && bytesLeft <= MOST_BYTES) break;
      count += 1;
      bytesLeft -= body.length;
    }
    this.#tellFirst(count);
    if (this.#waiting.length > 0) setImmediate(() => this.#tellSome());
  }

  #tellFirst(count: number): void {
    for (const [found, parts] of this.#waiting.splice(0, count)) {
      this.#bytes -= found.body.length;
      this.#tell(found, parts);
    }
  }
}
