import type { Figures, Place, SpanRow } from '../span-row.ts';

/** Rows as they cross to the thread: a few long lists take a third of the time that objects do. */
export interface PackedRows {
  /** Every text, those that rows share once. */
  readonly texts: readonly string[];
  /** Eleven of them for each row, in the order of `unpackRow`; -1 for none. */
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

const TEXTS = 11;
const CODES = 3;
const TIMES = 2;
const FIGURES = 5;
const FLAGS = { isTurn: 1, carriesResults: 2, hasFigures: 4 };

/** Whether its times are 64-bit numbers, which the lists and the store are made for. */
export function isPackable({ startedAt, endedAt }: SpanRow): boolean {
  return BigInt.asIntN(64, startedAt) === startedAt && BigInt.asIntN(64, endedAt) === endedAt;
}

export function packRows(rows: readonly SpanRow[]): PackedRows {
  const texts = new Texts();
  const indexes = new Int32Array(rows.length * TEXTS);
  const codes = new Uint8Array(rows.length * CODES);
  const times = new BigInt64Array(rows.length * TIMES);
  const figures = new Float64Array(rows.length * FIGURES);
  const places = new Map<number, Place>();
  for (const [index, row] of rows.entries()) {
    packTexts(row, { indexes, at: index * TEXTS }, texts);
    codes[index * CODES] = row.kind;
    codes[index * CODES + 1] = row.status;
    codes[index * CODES + 2] = flagsOf(row);
    times[index * TIMES] = row.startedAt;
    times[index * TIMES + 1] = row.endedAt;
    if (row.figures !== null) packFigures(row.figures, figures, index * FIGURES);
    if (row.place !== null) places.set(index, row.place);
  }
  return { texts: texts.all, indexes, codes, times, figures, places };
}

export function unpackRows(packed: PackedRows): readonly SpanRow[] {
  return Array.from({ length: packed.times.length / TIMES }, (_, index) => unpackRow(packed, index));
}

/** Texts of a batch: names and ids of runs are the same in most rows. */
class Texts {
  readonly all: string[] = [];
  readonly #known: Map<string, number> = new Map();

  own(text: string): number {
    return this.all.push(text) - 1;
  }

  shared(text: string | null): number {
    if (text === null) return -1;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const index = this.own(text);
    this.#known.set(text, index);
    return index;
  }
}

function packTexts(row: SpanRow, to: { readonly indexes: Int32Array; readonly at: number }, texts: Texts): void {
  const { indexes, at } = to;
  indexes[at] = texts.own(row.key);
  indexes[at + 1] = texts.own(row.spanId);
  indexes[at + 2] = texts.own(row.line);
  indexes[at + 3] = texts.shared(row.runId);
  indexes[at + 4] = texts.shared(row.traceId);
  indexes[at + 5] = texts.shared(row.parentSpanId);
  indexes[at + 6] = texts.shared(row.name);
  indexes[at + 7] = texts.shared(row.agent);
  indexes[at + 8] = texts.shared(row.errorType);
  indexes[at + 9] = texts.shared(row.outcome);
  indexes[at + 10] = texts.shared(row.mcpServer);
}

function flagsOf({ isTurn, carriesResults, figures }: SpanRow): number {
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
  const { texts, indexes, codes, times, places } = packed;
  const text = (place: number): string | null => texts[indexes[index * TEXTS + place] ?? -1] ?? null;
  const flags = codes[index * CODES + 2] ?? 0;
  return {
    key: text(0) ?? '',
    spanId: text(1) ?? '',
    line: text(2) ?? '',
    runId: text(3) ?? '',
    traceId: text(4) ?? '',
    parentSpanId: text(5),
    name: text(6) ?? '',
    agent: text(7),
    errorType: text(8),
    outcome: text(9),
    mcpServer: text(10),
    kind: codes[index * CODES] ?? 0,
    status: codes[index * CODES + 1] ?? 0,
    isTurn: (flags & FLAGS.isTurn) !== 0,
    carriesResults: (flags & FLAGS.carriesResults) !== 0,
    startedAt: times[index * TIMES] ?? 0n,
    endedAt: times[index * TIMES + 1] ?? 0n,
    figures: (flags & FLAGS.hasFigures) === 0 ? null : unpackFigures(packed.figures, index * FIGURES),
    place: places.get(index) ?? null,
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
