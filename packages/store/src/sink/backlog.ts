import type { SpanFields, SpanRow } from '../span-row.ts';
import { type PackedRows, RowPacker, unpackRows } from './packed-rows.ts';

export interface BacklogLimits {
  readonly maxSpans: number;
  readonly maxBytes: number;
}

interface Batch {
  readonly id: number;
  readonly rows: PackedRows;
}

/** Spans that are not known to be stored. They stay here until they are: a thread can die, and a program end before it has written. */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #sent: Map<number, Batch> = new Map();
  readonly #fresh: RowPacker = new RowPacker();
  #lastId = 0;
  #spans = 0;
  #bytes = 0;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  get spans(): number {
    return this.#spans;
  }

  /** From 0 to 1, by whichever limit is nearer. */
  get fullness(): number {
    return Math.min(1, Math.max(this.#spans / this.#limits.maxSpans, this.#bytes / this.#limits.maxBytes));
  }

  /** Enough was added to make a batch of. */
  get isBatchFull(): boolean {
    return this.#fresh.isFull;
  }

  /** The id of the last batch that was made. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The oldest batch that waits; undefined when none does. */
  get firstId(): number | undefined {
    return this.#sent.keys().next().value;
  }

  /** False when there is no room for it. One span finds room however large it is. */
  add(row: SpanFields, line: string): boolean {
    const isFull = this.#spans >= this.#limits.maxSpans || this.#bytes + line.length > this.#limits.maxBytes;
    if (isFull && this.#spans > 0) return false;
    this.#bytes += this.#fresh.add(row, line);
    this.#spans += 1;
    return true;
  }

  /** What was added since the last time, as one batch. */
  takeBatch(): Batch | undefined {
    if (this.#fresh.count === 0) return undefined;
    const batch = { id: ++this.#lastId, rows: this.#fresh.take() };
    this.#sent.set(batch.id, batch);
    return batch;
  }

  batches(): Iterable<Batch> {
    return this.#sent.values();
  }

  /** They are stored, and nobody reads them any more. How many spans that were. */
  settle(ids: readonly number[]): number {
    const before = this.#spans;
    for (const id of ids) {
      const rows = this.#remove(id);
      if (rows !== undefined) this.#fresh.giveBack(rows);
    }
    return before - this.#spans;
  }

  /** Everything that waits, taken out. */
  takeAll(): readonly SpanRow[] {
    this.takeBatch();
    return [...this.#sent.keys()].flatMap((id) => {
      const rows = this.#remove(id);
      return rows === undefined ? [] : unpackRows(rows);
    });
  }

  #remove(id: number): PackedRows | undefined {
    const rows = this.#sent.get(id)?.rows;
    if (rows === undefined) return undefined;
    this.#sent.delete(id);
    this.#spans -= rows.count;
    this.#bytes -= rows.lines.length;
    return rows;
  }
}
