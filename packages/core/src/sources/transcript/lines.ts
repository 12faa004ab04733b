import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes read at a time, and the longest line that is kept: a longer one is passed over without being held. */
const CHUNK_BYTES = 1 << 18;
export const MOST_LINE_BYTES: number = 64 << 20;

/** One line of a file, from 1. `bytes` is a view that lasts until the next line is asked for; absent for a line too long to keep. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
  /** No line feed followed: the file ends in the middle of what was being written. */
  readonly isCut: boolean;
  /** Of the file, up to the end of this line. */
  readonly readBytes: number;
}

export interface LineOptions {
  readonly mostLineBytes?: number;
}

/** The lines of a file, one chunk in memory at a time. Throws what the system throws when the file cannot be read. */
export function* linesOf(path: string, options: LineOptions = {}): Generator<Line, void, void> {
  const file = openSync(path, 'r');
  const splitter = new LineSplitter(options);
  try {
    // Its own, and for as long as the file: the lines of many files are read in turns.
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const size = readSync(file, chunk, 0, chunk.length, null);
      if (size === 0) break;
      yield* splitter.split(chunk.subarray(0, size));
    }
    yield* splitter.end();
  } finally {
    closeSync(file);
  }
}

/** Cuts what is read of a file into lines, looking at every byte once. */
export class LineSplitter {
  readonly #mostLineBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isTooLong = false;
  #number = 0;
  #readBytes = 0;

  constructor({ mostLineBytes = MOST_LINE_BYTES }: LineOptions = {}) {
    this.#mostLineBytes = mostLineBytes;
  }

  /** The lines that end in the chunk, which may be filled anew afterwards. */
  *split(chunk: Buffer): Generator<Line, void, void> {
    let from = 0;
    for (;;) {
      const to = chunk.indexOf(LINE_FEED, from);
      if (to === -1) break;
      this.#readBytes += to + 1 - from;
      yield this.#line(chunk.subarray(from, to), false);
      from = to + 1;
    }
    this.#readBytes += chunk.length - from;
    this.#hold(chunk.subarray(from));
  }

  /** What is left without a line feed. */
  *end(): Generator<Line, void, void> {
    if (this.#heldBytes > 0 || this.#isTooLong) yield this.#line(Buffer.alloc(0), true);
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0) return;
    if (this.#isTooLong || this.#heldBytes + rest.length > this.#mostLineBytes) {
      this.#isTooLong = true;
      this.#held = [];
      this.#heldBytes = 0;
      return;
    }
    // The chunk is filled anew before the line is whole.
    this.#held.push(Buffer.from(rest));
    this.#heldBytes += rest.length;
  }

  #line(rest: Buffer, isCut: boolean): Line {
    const isTooLong = this.#isTooLong || this.#heldBytes + rest.length > this.#mostLineBytes;
    const whole = this.#held.length === 0 ? rest : Buffer.concat([...this.#held, rest]);
    this.#held = [];
    this.#heldBytes = 0;
    this.#isTooLong = false;
    this.#number += 1;
    return { number: this.#number, bytes: isTooLong ? undefined : whole, isCut, readBytes: this.#readBytes };
  }
}

const LINE_FEED = 10;
