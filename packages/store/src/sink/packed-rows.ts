import { keyHash } from '../key-hash.ts';
import type { Figures, Place, SpanFields, SpanRow } from '../span-row.ts';
import { SharedLines } from './shared-lines.ts';

/** Rows as they wait, and cross to the thread: a few long lists, because objects take three times as long to cross. */
export interface PackedRows {
  readonly count: number;
  /** The lines of all rows, one after the other. Shared: what waits here is what the thread reads. */
  readonly lines: Uint8Array<SharedArrayBuffer>;
  /** Where each ends. */
  readonly ends: Int32Array;
  /** Every other text, those that rows share once. */
  readonly texts: readonly string[];
  /** Ten of them for each row, in the order of `unpackRow`; -1 for none. */
  readonly indexes: Int32Array;
  /** Kind, status, and `FLAGS`, for each row. */
  readonly codes: Uint8Array;
  /** Start and end of each row. */
  readonly times: BigInt64Array;
  /** Five for each row; NaN for what is not known. */
  readonly figures: Float64Array;
  /** Few rows have one. */
  readonly places: ReadonlyMap<number, Place>;
}

const TEXTS = 10;
const CODES = 3;
const TIMES = 2;
const FIGURES = 5;
const FLAGS = { isTurn: 1, carriesResults: 2, hasFigures: 4 };

/** What goes over, and into one transaction, in one piece. */
const BATCH = { rows: 1024, bytes: 1024 * 1024 };

/** Whether its times are 64-bit numbers, which the lists and the store are made for. */
export function isPackable({ startedAt, endedAt }: SpanFields): boolean {
  return BigInt.asIntN(64, startedAt) === startedAt && BigInt.asIntN(64, endedAt) === endedAt;
}

/** Packs rows as they come, into memory that is used again: of a span that waits there is nothing that a garbage collector would move. */
export class RowPacker {
  readonly #ends = new Int32Array(BATCH.rows);
  readonly #indexes = new Int32Array(BATCH.rows * TEXTS);
  readonly #codes = new Uint8Array(BATCH.rows * CODES);
  readonly #times = new BigInt64Array(BATCH.rows * TIMES);
  readonly #figures = new Float64Array(BATCH.rows * FIGURES);
  readonly #lines = new SharedLines(BATCH.bytes);
  #texts = new Texts();
  #places = new Map<number, Place>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Nothing more may be added until it is taken. */
  get isFull(): boolean {
    return this.#count >= BATCH.rows || this.#lines.bytes >= BATCH.bytes;
  }

  /** How many bytes its line has. */
  add(row: SpanFields, line: string): number {
    const index = this.#count++;
    const bytes = this.#lines.add(line);
    this.#ends[index] = this.#lines.bytes;
    packTexts(row, { indexes: this.#indexes, at: index * TEXTS }, this.#texts);
    this.#codes[index * CODES] = row.kind;
    this.#codes[index * CODES + 1] = row.status;
    this.#codes[index * CODES + 2] = flagsOf(row);
    this.#times[index * TIMES] = row.startedAt;
    this.#times[index * TIMES + 1] = row.endedAt;
    if (row.figures !== null) packFigures(row.figures, this.#figures, index * FIGURES);
    if (row.place !== null) this.#places.set(index, row.place);
    return bytes;
  }

  /** What was added since the last time. */
  take(): PackedRows {
    const count = this.#count;
    const packed = {
      count,
      lines: this.#lines.take(),
      ends: this.#ends.slice(0, count),
      texts: this.#texts.all,
      indexes: this.#indexes.slice(0, count * TEXTS),
      codes: this.#codes.slice(0, count * CODES),
      times: this.#times.slice(0, count * TIMES),
      figures: this.#figures.slice(0, count * FIGURES),
      places: this.#places,
    };
    this.#texts = new Texts();
    this.#places = new Map();
    this.#count = 0;
    return packed;
  }

  /** Rows that nobody reads any more. */
  giveBack({ lines }: PackedRows): void {
    this.#lines.giveBack(lines);
  }
}

export function unpackRows(packed: PackedRows): readonly SpanRow[] {
  return Array.from({ length: packed.count }, (_, index) => unpackRow(packed, index));
}

/** Texts of a batch: names and ids of runs are the same in most rows, and as a rule in the row before. */
class Texts {
  readonly all: string[] = [];
  readonly #known: Map<string, number> = new Map();
  /** The text that was last at each place, and its index. */
  readonly #last: string[] = [];
  readonly #lastIndex: number[] = [];

  own(text: string): number {
    return this.all.push(text) - 1;
  }

  shared(place: number, text: string | null): number {
    if (text === null) return -1;
    if (this.#last[place] !== text) {
      this.#last[place] = text;
      this.#lastIndex[place] = this.#indexOf(text);
    }
    return this.#lastIndex[place] ?? -1;
  }

  #indexOf(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const index = this.own(text);
    this.#known.set(text, index);
    return index;
  }
}

function packTexts(row: SpanFields, to: { readonly indexes: Int32Array; readonly at: number }, texts: Texts): void {
  const { indexes, at } = to;
  indexes[at] = texts.own(row.spanId);
  indexes[at + 1] = texts.shared(1, row.runId);
  indexes[at + 2] = texts.shared(2, row.traceId);
  indexes[at + 3] = texts.shared(3, row.parentSpanId);
  indexes[at + 4] = texts.shared(4, row.name);
  indexes[at + 5] = texts.shared(5, row.agent);
  indexes[at + 6] = texts.shared(6, row.errorType);
  indexes[at + 7] = texts.shared(7, row.outcome);
  indexes[at + 8] = texts.shared(8, row.mcpServer);
  indexes[at + 9] = texts.own(row.key);
}

function flagsOf({ isTurn, carriesResults, figures }: SpanFields): number {
  return (
    (isTurn ? FLAGS.isTurn : 0) |
    (carriesResults ? FLAGS.carriesResults : 0) |
    (figures === null ? 0 : FLAGS.hasFigures)
  );
}

function packFigures(figures: Figures, to: Float64Array, at: number): void {
  to[at] = figures.inputTokens ?? Number.NaN;
  to[at + 1] = figures.outputTokens ?? Number.NaN;
  to[at + 2] = figures.cacheReadTokens ?? Number.NaN;
  to[at + 3] = figures.cacheWriteTokens ?? Number.NaN;
  to[at + 4] = figures.costNanoUsd ?? Number.NaN;
}

function unpackRow(packed: PackedRows, index: number): SpanRow {
  const { lines, ends, texts, indexes, codes, times, places } = packed;
  const text = (place: number): string | null => texts[indexes[index * TEXTS + place] ?? -1] ?? null;
  const flags = codes[index * CODES + 2] ?? 0;
  return {
    // Here, where the program does not wait for it.
    key: keyHash(text(9) ?? ''),
    spanId: text(0) ?? '',
    runId: text(1) ?? '',
    traceId: text(2) ?? '',
    parentSpanId: text(3),
    name: text(4) ?? '',
    agent: text(5),
    errorType: text(6),
    outcome: text(7),
    mcpServer: text(8),
    kind: codes[index * CODES] ?? 0,
    status: codes[index * CODES + 1] ?? 0,
    isTurn: (flags & FLAGS.isTurn) !== 0,
    carriesResults: (flags & FLAGS.carriesResults) !== 0,
    startedAt: times[index * TIMES] ?? 0n,
    endedAt: times[index * TIMES + 1] ?? 0n,
    figures: (flags & FLAGS.hasFigures) === 0 ? null : unpackFigures(packed.figures, index * FIGURES),
    place: places.get(index) ?? null,
    line: lines.subarray(ends[index - 1] ?? 0, ends[index]),
  };
}

function unpackFigures(from: Float64Array, at: number): Figures {
  return {
    inputTokens: known(from[at]),
    outputTokens: known(from[at + 1]),
    cacheReadTokens: known(from[at + 2]),
    cacheWriteTokens: known(from[at + 3]),
    costNanoUsd: known(from[at + 4]),
  };
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
