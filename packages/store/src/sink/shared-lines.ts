const FIRST_BYTES = 64 * 1024;
/** Blocks that wait to be used again, at most. */
const MOST_SPARE = 8;

/**
 * Lines one after the other, in memory that another thread reads. Large blocks of it are used again: the system clears fresh memory page by
 * page, which takes as long as to fill it.
 */
export class SharedLines {
  /** What a batch has, as a rule. */
  readonly #batchBytes: number;
  /** Of a block that is used again. */
  readonly #blockBytes: number;
  readonly #spare: SharedArrayBuffer[] = [];
  #block: Buffer<SharedArrayBuffer> = blockOf(FIRST_BYTES);
  #bytes = 0;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
    this.#blockBytes = 2 * batchBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes the line has, in UTF-8. */
  add(line: string): number {
    // No character takes more than three bytes.
    if (this.#bytes + line.length * 3 > this.#block.length) this.#makeRoom(Buffer.byteLength(line));
    const bytes = this.#block.write(line, this.#bytes);
    this.#bytes += bytes;
    return bytes;
  }

  /** What was added since the last time: of a large batch the block itself, of a small one a copy of its size. */
  take(): Uint8Array<SharedArrayBuffer> {
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (bytes < this.#batchBytes / 4) {
      const copy = blockOf(bytes);
      this.#block.copy(copy, 0, 0, bytes);
      return copy;
    }
    const taken = new Uint8Array(this.#block.buffer, 0, bytes);
    const spare = this.#spare.pop();
    this.#block = spare === undefined ? blockOf(this.#blockBytes) : Buffer.from(spare);
    return taken;
  }

  /** What was taken, and is read by nobody any more. */
  giveBack({ buffer }: Uint8Array<SharedArrayBuffer>): void {
    if (buffer.byteLength === this.#blockBytes && this.#spare.length < MOST_SPARE) this.#spare.push(buffer);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed <= this.#block.length) return;
    const larger = blockOf(Math.max(needed, this.#block.length * 2));
    this.#block.copy(larger, 0, 0, this.#bytes);
    this.#block = larger;
  }
}

function blockOf(bytes: number): Buffer<SharedArrayBuffer> {
  return Buffer.from(new SharedArrayBuffer(bytes));
}
