import type { SpoolRef } from './spool.ts';

/** One record on its way: its encoded bytes and what is known about its journey. */
export interface Entry {
  readonly bytes: Uint8Array;
  /** Counts up from 1; what an earlier process left behind has 0. */
  readonly sequence: number;
  /** When it was first sent; absent = never tried. */
  triedAt?: number;
  /** Where it lies on disk. */
  readonly ref?: SpoolRef;
}

/** Bytes of all entries. */
export function byteLengthOf(entries: Iterable<Entry>): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes.byteLength;
  return bytes;
}

/** A batch takes entries until either limit is reached; an entry larger than `bytes` travels alone. */
export interface BatchLimits {
  readonly bytes: number;
  readonly items: number;
}

/** First in, first out, in batches; knows its size in bytes. */
export class EntryQueue {
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;

  get size(): number {
    return this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes.byteLength;
  }

  /** Entries whose delivery failed go back to where they came from. */
  putBack(entries: readonly Entry[]): void {
    this.#entries = [...entries, ...this.#entries.slice(this.#head)];
    this.#head = 0;
    this.#bytes += byteLengthOf(entries);
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= entry.bytes.byteLength;
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  take(limits: BatchLimits): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    while (batch.length < limits.items) {
      const next = this.#entries[this.#head];
      if (next === undefined) break;
      bytes += next.bytes.byteLength;
      if (batch.length > 0 && bytes > limits.bytes) break;
      batch.push(next);
      this.shift();
    }
    return batch;
  }

  takeAll(): Entry[] {
    const all = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    return all;
  }
}
