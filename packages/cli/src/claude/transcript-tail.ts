import { closeSync, openSync, readSync } from 'node:fs';
import type { Observation } from '@spanprism/core/sessions';
import { readRow, type Row, sessionFiles, TranscriptReader } from '@spanprism/core/transcript';

type SubagentFile = ReturnType<typeof sessionFiles>['subagents'][number];

export interface TailOptions {
  /** Rows from before are of another process: a session that is resumed goes on in its file. Nanoseconds since 1970. */
  readonly since: bigint;
  readonly observe: (observation: Observation) => void;
}

interface Timed {
  readonly at: bigint;
  readonly row: Row;
  readonly subagent?: SubagentFile;
}

/** Reads the files of a session while they are written. */
export class TranscriptTail {
  readonly #path: string;
  readonly #options: TailOptions;
  readonly #reader: TranscriptReader;
  readonly #files: Map<string, GrowingFile> = new Map();
  #wasResumed = false;

  constructor(path: string, options: TailOptions) {
    this.#path = path;
    this.#options = options;
    this.#reader = new TranscriptReader({ observe: (observation) => this.#tell(observation) });
  }

  /** Reads what has been written since it was last called, all files in the order of their times. Throws what the system throws. */
  poll(): void {
    const { path, subagents } = sessionFiles(this.#path);
    const timed: Timed[] = this.#rowsOf(path);
    for (const subagent of subagents) for (const one of this.#rowsOf(subagent.path)) timed.push({ ...one, subagent });
    timed.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    for (const { row, subagent } of timed) {
      if (subagent === undefined) this.#reader.read(row);
      else this.#reader.readSubagent(row, subagent);
    }
  }

  /** The process is gone: what is left is read, and there are no more rows. */
  end(): void {
    this.poll();
    this.#reader.end();
  }

  #rowsOf(path: string): Timed[] {
    const file = this.#files.get(path) ?? new GrowingFile(path);
    this.#files.set(path, file);
    const timed: Timed[] = [];
    for (const { bytes, number } of file.lines()) {
      const row = readRow({ bytes, number, isCut: false, readBytes: 0 });
      if (row === 'silent' || 'skipped' in row) continue;
      if (row.at !== undefined && row.at < this.#options.since) this.#wasResumed = true;
      // Sums have no time of their own, and stand where they were written.
      else timed.push({ at: row.at ?? timed.at(-1)?.at ?? 0n, row });
    }
    return timed;
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

const CHUNK_BYTES = 1 << 18;
const LINE_FEED = 10;

/** The whole lines of a file that others append to. */
class GrowingFile {
  readonly #path: string;
  #offset = 0;
  #number = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  *lines(): Generator<{ readonly bytes: Buffer; readonly number: number }> {
    const file = openSync(this.#path, 'r');
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (;;) {
        const size = readSync(file, chunk, 0, chunk.length, this.#offset);
        if (size === 0) return;
        this.#offset += size;
        let held = Buffer.concat([this.#rest, chunk.subarray(0, size)]);
        for (let to = held.indexOf(LINE_FEED); to !== -1; to = held.indexOf(LINE_FEED)) {
          this.#number += 1;
          yield { bytes: held.subarray(0, to), number: this.#number };
          held = held.subarray(to + 1);
        }
        this.#rest = held;
      }
    } finally {
      closeSync(file);
    }
  }
}
