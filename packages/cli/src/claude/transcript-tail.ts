import { closeSync, openSync, readSync } from 'node:fs';
import type { Observation } from '@spanprism/core/sessions';
import { LineSplitter, readRow, type Row, sessionFiles, TranscriptReader } from '@spanprism/core/transcript';

type SubagentFile = ReturnType<typeof sessionFiles>['subagents'][number];

export interface TailOptions {
  /** Rows from before are of another process: a session that is resumed goes on in its file. Nanoseconds since 1970. */
  readonly since: bigint;
  readonly observe: (observation: Observation) => void;
  /** Read at a time; default 1 MiB, of which the rows are parsed in a few milliseconds. */
  readonly portionBytes?: number;
}

interface Timed {
  readonly at: bigint;
  readonly row: Row;
  readonly subagent: SubagentFile | undefined;
}

interface Source {
  readonly path: string;
  readonly bytes: number;
  readonly subagent?: SubagentFile;
}

/** A file that others append to, as far as it was read. */
interface GrowingFile {
  readonly lines: LineSplitter;
  readBytes: number;
  /** Of its latest row. */
  at: bigint;
}

const PORTION_BYTES = 1 << 20;

/** Reads the files of a session while they are written. */
export class TranscriptTail {
  readonly #path: string;
  readonly #options: TailOptions;
  readonly #sinceText: string;
  readonly #reader: TranscriptReader;
  readonly #files: Map<string, GrowingFile> = new Map();
  readonly #portion: Buffer;
  /** Rows that another file may have earlier ones than. */
  #held: Timed[] = [];
  #wasResumed = false;

  constructor(path: string, options: TailOptions) {
    this.#path = path;
    this.#options = options;
    this.#sinceText = new Date(Number(options.since / 1_000_000n)).toISOString();
    this.#portion = Buffer.allocUnsafe(options.portionBytes ?? PORTION_BYTES);
    this.#reader = new TranscriptReader({ observe: (observation) => this.#tell(observation) });
  }

  /**
   * Reads a portion of what has been written since it was last called, all files in the order of their times; true when there is more
   * to read. Throws what the system throws.
   */
  poll(): boolean {
    const { path, bytes, subagents } = sessionFiles(this.#path);
    const files: readonly Source[] = [{ path, bytes }, ...subagents.map((subagent) => ({ ...subagent, subagent }))];
    let left = this.#portion.length;
    let until: bigint | undefined;
    for (const one of files) {
      const file = this.#fileOf(one.path);
      if (file.readBytes < one.bytes && left > 0) left -= this.#read(file, one, left);
      if (file.readBytes < one.bytes && (until === undefined || file.at < until)) until = file.at;
    }
    this.#handOver(until);
    return until !== undefined && left < this.#portion.length;
  }

  /** The process is gone, and there are no more rows. */
  end(): void {
    this.#handOver(undefined);
    this.#reader.end();
  }

  #fileOf(path: string): GrowingFile {
    const known = this.#files.get(path) ?? { lines: new LineSplitter(), readBytes: 0, at: 0n };
    this.#files.set(path, known);
    return known;
  }

  #read(file: GrowingFile, { path, subagent }: Source, most: number): number {
    const descriptor = openSync(path, 'r');
    try {
      const size = readSync(descriptor, this.#portion, 0, most, file.readBytes);
      file.readBytes += size;
      for (const line of file.lines.split(this.#portion.subarray(0, size))) {
        if (line.bytes !== undefined && this.#isHistory(file, line.bytes)) continue;
        const row = readRow(line);
        if (row === 'silent' || 'skipped' in row) continue;
        // Sums have no time of their own, and stand where they were written; as does what is told of after what came of it: of a
        // command that compacts, its row has the earlier time and comes later.
        if (row.at !== undefined && row.at > file.at) file.at = row.at;
        if (file.at >= this.#options.since) this.#held.push({ at: file.at, row, subagent });
        else this.#wasResumed = true;
      }
      return size;
    } finally {
      closeSync(descriptor);
    }
  }

  /** A history may be long: of its rows it is enough that no time in them is one of this run. */
  #isHistory({ at }: GrowingFile, line: Buffer): boolean {
    if (at >= this.#options.since) return false;
    let from = line.indexOf(TIME);
    if (from === -1) return false;
    for (; from !== -1; from = line.indexOf(TIME, from)) {
      from += TIME.length;
      if (line.toString('latin1', from, from + this.#sinceText.length) >= this.#sinceText) return false;
    }
    this.#wasResumed = true;
    return true;
  }

  #handOver(until: bigint | undefined): void {
    this.#held.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const later = until === undefined ? -1 : this.#held.findIndex(({ at }) => at > until);
    for (const { row, subagent } of this.#held.splice(0, later === -1 ? this.#held.length : later)) {
      if (subagent === undefined) this.#reader.read(row);
      else this.#reader.readSubagent(row, subagent);
    }
  }

  #tell(observation: Observation): void {
    // When the process ends is not for its files to say, and what it has counted is in its metrics.
    if (observation.type === 'counters') return;
    if (observation.type === 'query-end' && observation.by !== 'interrupt') return;
    if (observation.type === 'turn-result' && this.#wasResumed) {
      // Sums of a session that was resumed are those of all its processes.
      const { totals: _totals, cumulative: _cumulative, ...result } = observation;
      this.#options.observe(result);
      return;
    }
    this.#options.observe(observation);
  }
}

/** How Claude Code writes the time of a row; within a text its quotes would be escaped. */
const TIME = Buffer.from('"timestamp":"');
