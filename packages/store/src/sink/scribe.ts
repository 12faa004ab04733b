import { openForWriting } from '../open-database.ts';
import type { SpanRow } from '../span-row.ts';
import { damaged, type Database, isBusy, isCorrupt } from '../sqlite.ts';
import { Retention, type RetentionLimits } from '../write/retention.ts';
import { writeEach } from '../write/write-each.ts';
import { Writer } from '../write/writer.ts';
import { readLeftovers } from './leftovers.ts';
import { type PackedRows, unpackRows } from './packed-rows.ts';

/** What the scribe says of the batches it was given. */
export type Told =
  | { readonly type: 'stored'; readonly ids: readonly number[]; readonly refused: number }
  /** Nothing can be written for now; it goes on trying. */
  | { readonly type: 'trouble'; readonly message: string }
  /** The file is damaged: it has let go of every batch it was given. */
  | { readonly type: 'damaged'; readonly message: string }
  /** Something that the user should know and that stops nothing. */
  | { readonly type: 'note'; readonly message: string };

export interface ScribeOptions {
  readonly path: string;
  readonly retention: RetentionLimits;
  readonly tell: (told: Told) => void;
  /** How long SQLite itself waits for a lock, and with it the thread that the scribe is in. */
  readonly busyMs: number;
}

interface Batch {
  readonly id: number;
  readonly rows: PackedRows;
}

interface OpenFile {
  readonly database: Database;
  readonly writer: Writer;
  readonly retention: Retention;
}

/** More rows than these, a tenth of a second, are not held in one transaction: others want to write, too. */
const MAX_ROWS = 8192;
const RETRY_MS = { busy: 25, trouble: 1_000 };

/** Writes batches one after the other, and tries again until each is stored. In its own thread, unless there is none. */
export class Scribe {
  readonly #options: ScribeOptions;
  #queue: Batch[] = [];
  #open: OpenFile | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sweep: ReturnType<typeof setTimeout> | undefined;
  #inTrouble = false;

  constructor(options: ScribeOptions) {
    this.#options = options;
  }

  take(id: number, rows: PackedRows): void {
    this.#queue.push({ id, rows });
    if (this.#timer === undefined) this.#again(0);
  }

  /** Whether everything it was given is stored. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#sweep);
    this.#open?.database.close();
    this.#open = undefined;
  }

  #again(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, waitMs);
    // In the main thread it must not keep the program alive; in its own, the port does.
    this.#timer.unref();
  }

  #write(): void {
    const batches = this.#next();
    if (batches.length === 0) return;
    try {
      const refused = this.#store(batches.flatMap(({ rows }) => unpackRows(rows)));
      this.#queue.splice(0, batches.length);
      this.#inTrouble = false;
      this.#options.tell({ type: 'stored', ids: batches.map(({ id }) => id), refused });
      if (this.#queue.length > 0) this.#again(0);
    } catch (error) {
      this.#fail(error);
    }
  }

  #next(): readonly Batch[] {
    let rows = 0;
    const end = this.#queue.findIndex((batch) => (rows += batch.rows.count) > MAX_ROWS);
    return end === -1 ? this.#queue.slice() : this.#queue.slice(0, Math.max(end, 1));
  }

  #fail(error: unknown): void {
    if (isBusy(error)) return this.#again(RETRY_MS.busy);
    // A file that was moved away or replaced is opened anew.
    this.#open?.database.close();
    this.#open = undefined;
    if (isCorrupt(error)) {
      this.#queue = [];
      return this.#options.tell({ type: 'damaged', message: damaged(this.#options.path, error).message });
    }
    const message = error instanceof Error ? error.message : String(error);
    if (!this.#inTrouble) this.#options.tell({ type: 'trouble', message });
    this.#inTrouble = true;
    this.#again(RETRY_MS.trouble);
  }

  /** How many rows SQLite will never take. */
  #store(rows: readonly SpanRow[]): number {
    const { writer } = this.#opened();
    return writeEach(writer, rows, (message) => this.#options.tell({ type: 'note', message }));
  }

  #opened(): OpenFile {
    if (this.#open !== undefined) return this.#open;
    const { path, retention, tell, busyMs } = this.#options;
    const database = openForWriting(path, { busyMs });
    try {
      const writer = new Writer(database);
      const note = (message: string): void => tell({ type: 'note', message });
      for (const message of readLeftovers(path, (rows) => void writeEach(writer, rows, note))) note(message);
      this.#open = { database, writer, retention: new Retention(database, retention) };
    } catch (error) {
      database.close();
      throw error;
    }
    this.#sweepLater(SWEEP_MS.first);
    return this.#open;
  }

  #sweepLater(waitMs: number): void {
    clearTimeout(this.#sweep);
    this.#sweep = setTimeout(() => this.#sweepNow(), waitMs);
    this.#sweep.unref();
  }

  #sweepNow(): void {
    if (this.#open === undefined) return;
    try {
      const isDone = this.#open.retention.sweep();
      this.#sweepLater(isDone ? SWEEP_MS.idle : SWEEP_MS.more);
    } catch (error) {
      if (!isBusy(error)) this.#options.tell({ type: 'note', message: `old runs cannot be removed: ${String(error)}` });
      this.#sweepLater(SWEEP_MS.idle);
    } finally {
      this.#open.writer.forget();
    }
  }
}

/** When old runs are looked for: soon after the start, once more while there are some, else now and then. */
const SWEEP_MS = { first: 500, more: 250, idle: 600_000 };
