import {
  closeSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { OPEN, secureFolder, statOwnFile } from './spool-folder.ts';
import { doneFrame, FRAME_OVERHEAD_BYTES, readSegment, recordHeader } from './spool-frames.ts';
import { nameSegment, parseSegmentName, spoolFolder } from './spool-names.ts';
import type { SegmentName } from './spool-names.ts';
import { isAlive, thisOwner } from './spool-owner.ts';
import type { Owner } from './spool-owner.ts';

export interface SpoolOptions {
  /** Holds one folder per sink and endpoint, of this user, with mode 0700; anything else in its place is refused. */
  readonly directory: string;
  /** On disk, per sink and endpoint; 64 MiB. Beyond it the oldest segment goes first. */
  readonly maxBytes?: number;
  /**
   * `exit` (default): a record goes to disk when it has to leave memory undelivered: at exit, when the queue is full, when retries
   * are over. `always`: before it is queued, so that not even `kill -9` loses it. Nothing is ever fsynced: what is written
   * survives the end of the process, not that of the machine.
   */
  readonly mode?: 'exit' | 'always';
}

/** What the spool needs from its delivery. */
export interface SpoolHost {
  readonly name: string;
  readonly url: URL;
  readonly now: () => number;
  /** Records that are lost for good. */
  readonly dropped: (reason: string, count: number) => void;
  readonly complain: (kind: string, line: string) => void;
}

/** Where a record lies. */
export interface SpoolRef {
  readonly segment: Segment;
  readonly index: number;
}

/** A file of records, of which some are in memory and some wait on disk. */
interface Segment {
  name: SegmentName;
  bytes: number;
  /** Records ever written to it. */
  written: number;
  inMemory: number;
  /** Records on disk only; a segment of an earlier process holds an unknown number of them until it is read. */
  parked: number | 'unread';
  isGone: boolean;
  /** What is in memory was read back from it. */
  isReloaded: boolean;
  /** Holds records of an earlier process. */
  isInherited: boolean;
}

export interface LoadedRecord {
  readonly bytes: Uint8Array;
  readonly ref: SpoolRef;
}

const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;

/** Prepares the spool; the disk is not touched before the first use. */
export function openSpool(options: SpoolOptions, host: SpoolHost): Spool {
  return new Spool(options, host);
}

/**
 * Undelivered records on disk. A segment file exists only while a record in it waits; its name says which process has it, and
 * taking over a dead one's is a rename, which only one process can win. Holds encoded records only, never headers. Never throws:
 * a disk that does not work is told once and the records stay in memory.
 */
export class Spool {
  readonly #host: SpoolHost;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  /** Oldest first. */
  #segments: Segment[] = [];
  #active: { readonly segment: Segment; readonly file: number } | undefined;
  readonly #owner: Owner = thisOwner();
  #isUsable: boolean | undefined;
  #count = 0;

  constructor(options: SpoolOptions, host: SpoolHost) {
    this.#host = host;
    this.#folder = spoolFolder(options.directory, host.name, host.url);
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.ceil(this.#maxBytes / 4));
  }

  /** False for good when the folder is not fit to hold records, which is told once. Asked first, it claims what dead processes left. */
  isUsable(): boolean {
    this.#isUsable ??= this.#attempt('use', () => this.#takeOver()) ?? false;
    return this.#isUsable;
  }

  /** Writes a record and counts it as in memory; undefined when it could not be written. */
  append(record: Uint8Array): SpoolRef | undefined {
    const bytes = record.byteLength + FRAME_OVERHEAD_BYTES;
    if (bytes > this.#maxBytes || !this.isUsable()) return undefined;
    return this.#attempt('write to', () => {
      this.#makeRoom(bytes);
      const { segment, file } = this.#openFor(bytes);
      const written = writevSync(file, [recordHeader(record), record]);
      segment.bytes += written;
      if (written < bytes) {
        // A full disk: nothing readable may follow the cut frame.
        this.#seal();
        throw new Error('the disk is full');
      }
      segment.inMemory += 1;
      segment.written += 1;
      return { segment, index: segment.written - 1 };
    });
  }

  /** These are delivered or dropped, and must not be sent again. */
  settle(refs: readonly SpoolRef[]): void {
    const done = new Map<Segment, number[]>();
    for (const { segment, index } of refs) {
      if (segment.isGone) continue;
      segment.inMemory -= 1;
      const indexes = done.get(segment);
      if (indexes === undefined) done.set(segment, [index]);
      else indexes.push(index);
    }
    for (const [segment, indexes] of done) {
      if (segment.inMemory === 0 && segment.parked === 0) this.#remove(segment);
      else this.#attempt('write to', () => appendTo(this.#path(segment), doneFrame(indexes)));
    }
  }

  /** It has left memory; it will be loaded again when the backend takes records. False when it is no longer on disk. */
  park(ref: SpoolRef): boolean {
    const { segment } = ref;
    if (segment.isGone) return false;
    segment.inMemory -= 1;
    if (segment.parked !== 'unread') segment.parked += 1;
    return true;
  }

  /** How many records of this process are here because they had to leave memory. */
  held(): number {
    let count = 0;
    for (const segment of this.#segments) {
      if (segment.isInherited || segment.parked === 'unread') continue;
      count += segment.parked + (segment.isReloaded ? segment.inMemory : 0);
    }
    return count;
  }

  hasBacklog(): boolean {
    return this.isUsable() && this.#segments.some(isWaiting);
  }

  /** Brings the oldest waiting segment back into memory. */
  async load(): Promise<readonly LoadedRecord[]> {
    const segment = this.#segments.find(isWaiting);
    if (segment === undefined) return [];
    if (this.#active?.segment === segment) this.#seal();
    const file = await promises.readFile(this.#path(segment), { flag: OPEN.read }).catch(() => undefined);
    if (segment.isGone) return [];
    if (file === undefined) {
      this.#forget(segment);
      return [];
    }
    const { records, wholeBytes, damaged } = readSegment(file);
    // Cut off what a dying writer left behind, or nothing appended now could be read later.
    if (wholeBytes < file.length) this.#attempt('repair', () => truncateSync(this.#path(segment), wholeBytes));
    this.#host.dropped('spool_damaged', damaged);
    segment.parked = 0;
    segment.inMemory = records.length;
    segment.isReloaded = true;
    if (records.length === 0) this.#remove(segment);
    return records.map(({ index, bytes }) => ({ bytes, ref: { segment, index } }));
  }

  /** Says that the segments are still being sent, for processes on other hosts that see the same folder. */
  touch(): void {
    const now = this.#host.now() / 1000;
    this.#attempt('touch', () => {
      for (const segment of this.#segments) utimesSync(this.#path(segment), now, now);
    });
  }

  /** Gives every segment to whoever comes next. */
  release(): void {
    this.#seal();
    for (const segment of [...this.#segments]) {
      segment.isGone = true;
      this.#attempt('release', () =>
        renameSync(
          this.#path(segment),
          join(this.#folder, nameSegment({ createdAt: segment.name.createdAt, label: segment.name.label })),
        ),
      );
    }
    this.#segments = [];
  }

  #takeOver(): true {
    secureFolder(this.#folder);
    for (const file of readdirSync(this.#folder).sort()) {
      const name = parseSegmentName(file);
      if (name === undefined) continue;
      const segment = this.#claim(file, name);
      if (segment !== undefined) this.#segments.push(segment);
    }
    this.#makeRoom(0);
    return true;
  }

  #claim(file: string, found: SegmentName): Segment | undefined {
    const path = join(this.#folder, file);
    const name = { createdAt: found.createdAt, label: found.label, owner: this.#owner };
    try {
      const stats = statOwnFile(path);
      if (stats === undefined) return undefined;
      if (found.owner !== undefined && isAlive(found.owner, stats.mtimeMs, this.#host.now())) return undefined;
      renameSync(path, join(this.#folder, nameSegment(name)));
      return {
        name,
        bytes: stats.size,
        written: 0,
        inMemory: 0,
        parked: 'unread',
        isGone: false,
        isReloaded: false,
        isInherited: true,
      };
    } catch {
      // Another process was faster.
      return undefined;
    }
  }

  #openFor(bytes: number): { readonly segment: Segment; readonly file: number } {
    const open = this.#active;
    if (open !== undefined && open.segment.bytes + bytes <= this.#segmentBytes) return open;
    this.#seal();
    this.#count += 1;
    const label = `${process.pid}x${this.#count}x${Math.trunc(Math.random() * 1e9)}`;
    const name: SegmentName = { createdAt: Math.trunc(this.#host.now()), label, owner: this.#owner };
    const segment: Segment = {
      name,
      bytes: 0,
      written: 0,
      inMemory: 0,
      parked: 0,
      isGone: false,
      isReloaded: false,
      isInherited: false,
    };
    const file = openSync(this.#path(segment), OPEN.create, 0o600);
    this.#segments.push(segment);
    this.#active = { segment, file };
    return this.#active;
  }

  #seal(): void {
    const open = this.#active;
    this.#active = undefined;
    if (open === undefined) return;
    this.#attempt('close', () => closeSync(open.file));
  }

  #makeRoom(bytes: number): void {
    let total = bytes;
    for (const segment of this.#segments) total += segment.bytes;
    while (total > this.#maxBytes) {
      const oldest = this.#segments[0];
      if (oldest === undefined) return;
      total -= oldest.bytes;
      const path = this.#path(oldest);
      const parked =
        oldest.parked === 'unread'
          ? this.#attempt('read', () => readSegment(readFileSync(path)).records.length)
          : oldest.parked;
      this.#remove(oldest);
      this.#host.dropped('spool_full', parked ?? 0);
      this.#host.complain(
        'spool_full',
        `the spool ${this.#folder} is full (${this.#maxBytes} bytes): the oldest records are no longer kept there.`,
      );
    }
  }

  #remove(segment: Segment): void {
    if (this.#active?.segment === segment) this.#seal();
    this.#forget(segment);
    this.#attempt('remove from', () => unlinkSync(this.#path(segment)));
  }

  #forget(segment: Segment): void {
    segment.isGone = true;
    this.#segments = this.#segments.filter((other) => other !== segment);
  }

  #path(segment: Segment): string {
    return join(this.#folder, nameSegment(segment.name));
  }

  #attempt<T>(what: string, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#host.complain(
        `spool ${what}`,
        `cannot ${what} the spool ${this.#folder}: ${why}. Check that the folder is ours, writable and not full.`,
      );
      return undefined;
    }
  }
}

function appendTo(path: string, bytes: Uint8Array): void {
  const file = openSync(path, OPEN.append);
  try {
    writeSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

function isWaiting(segment: Segment): boolean {
  return segment.inMemory === 0 && segment.parked !== 0;
}
