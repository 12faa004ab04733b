const EMPTY: Buffer = Buffer.from(new ArrayBuffer(0));

/** Bytes that come piece by piece, copied into memory of their own: another thread can be given it, and nothing else lies there. */
export class Gathered {
  readonly #expectedBytes: number;
  #buffer: Buffer = EMPTY;
  #length = 0;

  /** With as many bytes as expected nothing is copied twice. */
  constructor(expectedBytes: number) {
    this.#expectedBytes = expectedBytes;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    // What anybody left in memory that was not written to must not go along.
    this.#buffer.fill(0, this.#length);
    return this.#buffer.subarray(0, this.#length);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#expectedBytes, length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }
}
