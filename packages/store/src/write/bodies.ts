// By name it would keep a Node without zstd from even loading this package, and from being told why.
import zlib from 'node:zlib';
import type { Database, Statement } from '../sqlite.ts';

/** Lines of one body: enough to compress well, few enough that reading one span is quick. */
const MAX_BODY_CHARACTERS = 256 * 1024;

const OPTIONS = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };

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
  #lines: string[] = [];
  #characters = 0;

  constructor(database: Database) {
    this.#last = database.prepare('SELECT max(id) AS id FROM body');
    this.#insert = database.prepare('INSERT INTO body (id, run, lines) VALUES (?, ?, ?)');
  }

  /** Called within the transaction: nobody else adds one until it ends. */
  begin(): void {
    const last = this.#last.get() as { readonly id: number | null } | undefined;
    this.#next = (last?.id ?? 0) + 1;
    this.#lines = [];
    this.#characters = 0;
  }

  /** Best called run by run: another run begins another body. */
  add(run: number, line: string): BodyPlace {
    const isFull = this.#characters + line.length > MAX_BODY_CHARACTERS;
    if (this.#lines.length > 0 && (isFull || run !== this.#run)) this.save();
    this.#run = run;
    this.#characters += line.length;
    return { body: this.#next, line: this.#lines.push(line) - 1 };
  }

  save(): void {
    if (this.#lines.length === 0) return;
    this.#insert.run(this.#next, this.#run, zlib.zstdCompressSync(Buffer.from(this.#lines.join('\n')), OPTIONS));
    this.#next += 1;
    this.#lines = [];
    this.#characters = 0;
  }
}
