// By name it would keep a Node without zstd from even loading this package, and from being told why.
import zlib from 'node:zlib';
import type { Database, Statement } from '../sqlite.ts';

/** Lines of one body: enough to compress well, few enough that reading one span is quick. */
const MAX_BODY_BYTES = 256 * 1024;

const OPTIONS = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };
const NEWLINE = 10;

export interface BodyPlace {
  readonly body: number;
  readonly line: number;
}

/** Bodies of one transaction: the spans of a run side by side, compressed together. None holds spans of two runs, so that a run can go. */
export class Bodies {
  readonly #last: Statement;
  readonly #insert: Statement;
  #next = 0;
  #run = 0;
  #lines = 0;
  /** Lines with a newline after each. */
  #body: Buffer = Buffer.allocUnsafeSlow(MAX_BODY_BYTES);
  #bytes = 0;
  /** The memory that the last line is in: mostly the next is, too. */
  #source: Buffer = Buffer.of();

  constructor(database: Database) {
    this.#last = database.prepare('SELECT max(id) AS id FROM body');
    this.#insert = database.prepare('INSERT INTO body (id, run, lines) VALUES (?, ?, ?)');
  }

  /** Called within the transaction: nobody else adds one until it ends. */
  begin(): void {
    const last = this.#last.get() as { readonly id: number | null } | undefined;
    this.#next = (last?.id ?? 0) + 1;
    this.#lines = 0;
    this.#bytes = 0;
  }

  /** Where the next line of a run belongs, should it be added. Best called run by run: another run begins another body. */
  placeOf(run: number, line: Uint8Array): BodyPlace {
    const isFull = this.#bytes + line.length >= MAX_BODY_BYTES;
    if (this.#lines > 0 && (isFull || run !== this.#run)) this.save();
    this.#run = run;
    return { body: this.#next, line: this.#lines };
  }

  add(line: Uint8Array): void {
    if (line.length >= this.#body.length) this.#body = Buffer.allocUnsafeSlow(line.length + 1);
    // Not by `set`, which copies out of memory that threads share a byte at a time.
    if (this.#source.buffer !== line.buffer) this.#source = Buffer.from(line.buffer);
    this.#source.copy(this.#body, this.#bytes, line.byteOffset, line.byteOffset + line.length);
    this.#bytes += line.length;
    this.#body[this.#bytes++] = NEWLINE;
    this.#lines += 1;
  }

  save(): void {
    if (this.#lines === 0) return;
    this.#insert.run(this.#next, this.#run, zlib.zstdCompressSync(this.#body.subarray(0, this.#bytes - 1), OPTIONS));
    // One line can be many times as large as all others together.
    if (this.#body.length > MAX_BODY_BYTES) this.#body = Buffer.allocUnsafeSlow(MAX_BODY_BYTES);
    this.#next += 1;
    this.#lines = 0;
    this.#bytes = 0;
  }
}
