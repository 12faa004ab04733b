import { given } from '../../model/given.ts';
import type { UnixNano } from '../../model/time.ts';
import { type Line, linesOf } from './lines.ts';
import { type Row, readRow, type SkippedLine, type SkipReason } from './row.ts';
import type { SessionFiles } from './session-files.ts';
import type { Subagent } from './subagent-rows.ts';
import type { TranscriptReader } from './transcript-reader.ts';

export interface ReadOptions {
  /** Told of every line that was passed over because it could not be read. */
  readonly skipped?: (line: SkippedLine) => void;
  /** Told how many bytes were read since it was last told. */
  readonly progress?: (bytes: number) => void;
  readonly mostLineBytes?: number;
  /** More rows are to come, another time: nothing ends with the last of these. */
  readonly goesOn?: boolean;
}

/**
 * Reads the files of a session through `reader`, all in the order of their times, and hands over after every row so that the
 * caller can let others work. Rows are read as they are needed: in memory is one of each open file.
 */
export function* readSession(
  files: SessionFiles,
  reader: TranscriptReader,
  options: ReadOptions = {},
): Generator<void, void, void> {
  const merge = new Merge(files, reader, options);
  try {
    while (merge.step()) yield;
    if (options.goesOn !== true) reader.end();
  } finally {
    merge.close();
  }
}

interface OpenSubagent {
  readonly subagent: Subagent;
  readonly cursor: RowCursor;
}

class Merge {
  readonly #reader: TranscriptReader;
  readonly #options: ReadOptions;
  readonly #main: RowCursor;
  /** Not open yet, those that begin last first. */
  readonly #waiting: { readonly subagent: Subagent & { readonly path: string }; readonly from: UnixNano }[];
  readonly #open: Set<OpenSubagent> = new Set();

  constructor(files: SessionFiles, reader: TranscriptReader, options: ReadOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#waiting = files.subagents
      .map((subagent) => ({ subagent, from: firstTime(subagent.path, options) }))
      .sort((a, b) => (a.from < b.from ? 1 : a.from > b.from ? -1 : 0));
    this.#main = new RowCursor(files.path, options);
    this.#main.next();
  }

  /** Reads the next row of all; false when there is none. */
  step(): boolean {
    this.#openDue();
    const next = this.#earliest();
    if (next !== undefined) this.#readSubagent(next);
    else if (this.#main.row === undefined) return false;
    else {
      this.#reader.read(this.#main.row);
      this.#main.next();
    }
    return true;
  }

  close(): void {
    this.#main.close();
    for (const { cursor } of this.#open) cursor.close();
  }

  /** A session may have hundreds of subagents: each file is open only while its time is on. */
  #openDue(): void {
    for (let next = this.#waiting.at(-1); next !== undefined; next = this.#waiting.at(-1)) {
      if (this.#main.row !== undefined && this.#main.at < next.from) return;
      this.#waiting.pop();
      const cursor = new RowCursor(next.subagent.path, this.#options);
      cursor.next();
      this.#open.add({ subagent: next.subagent, cursor });
    }
  }

  /** The subagent whose row comes next, unless the main one does. */
  #earliest(): OpenSubagent | undefined {
    let earliest: OpenSubagent | undefined;
    for (const one of this.#open) if (earliest === undefined || one.cursor.at < earliest.cursor.at) earliest = one;
    if (earliest === undefined || this.#main.row === undefined) return earliest;
    return earliest.cursor.at < this.#main.at ? earliest : undefined;
  }

  #readSubagent(open: OpenSubagent): void {
    const { subagent, cursor } = open;
    if (cursor.row !== undefined) this.#reader.readSubagent(cursor.row, subagent);
    cursor.next();
    if (cursor.row !== undefined) return;
    this.#open.delete(open);
    this.#reader.endSubagent(subagent.agentId);
  }
}

/** When its first row was written; what has none comes last. */
function firstTime(path: string, options: ReadOptions): UnixNano {
  const cursor = new RowCursor(path, given('mostLineBytes', options.mostLineBytes));
  cursor.next();
  cursor.close();
  return cursor.row === undefined ? 0n : cursor.at;
}

/** Steps through the rows of a file. */
class RowCursor {
  row: Row | undefined;
  /** Of the row at hand; never before that of the row before it, which rows without a time take over. */
  at: UnixNano = 0n;
  readonly #path: string;
  readonly #options: ReadOptions;
  readonly #lines: Generator<Line, void, void>;
  #readBytes = 0;

  constructor(path: string, options: ReadOptions) {
    this.#path = path;
    this.#options = options;
    this.#lines = linesOf(path, given('mostLineBytes', options.mostLineBytes));
  }

  next(): void {
    for (;;) {
      const line = this.#lines.next().value;
      this.row = undefined;
      if (line === undefined) return;
      this.#options.progress?.(line.readBytes - this.#readBytes);
      this.#readBytes = line.readBytes;
      const read = readRow(line);
      if (read === 'silent') continue;
      if (!('skipped' in read)) {
        this.row = read;
        if (read.at !== undefined && read.at > this.at) this.at = read.at;
        return;
      }
      this.#skip(line.number, read.skipped);
    }
  }

  close(): void {
    this.#lines.return();
  }

  #skip(line: number, reason: SkipReason): void {
    this.#options.skipped?.({ file: this.#path, line, reason });
  }
}
