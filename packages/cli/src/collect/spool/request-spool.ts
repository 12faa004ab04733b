import { chmod, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@spanprism/core/otlp';
import { decodeFrames, encodeFrame, type FrameHead, type RequestFrame } from './frames.ts';
import { LiveFrames, type LiveSegment } from './live-frames.ts';
import { lockFolder } from './lock-folder.ts';
import { SegmentWriter, type SyncPolicy } from './segment-writer.ts';

export interface RequestSpoolOptions {
  /** Made with mode 0700; files in it have 0600. One process at a time. */
  readonly folder: string;
  /** Of all segments. */
  readonly maxBytes: number;
  readonly sync: SyncPolicy;
  /** A segment is closed when it has so many; default 16 MiB, or a quarter of all. */
  readonly segmentBytes?: number;
  /** Told what went wrong with what nobody waits for. */
  readonly onTrouble: (message: string) => void;
}

/** A request as it was received, and who needs it. */
export interface SpooledRequest extends Omit<RequestFrame, 'type' | 'sequence'> {
  readonly body: Uint8Array;
}

/** One that is on disk. */
export interface StoredRequest extends SpooledRequest {
  readonly sequence: number;
}

/** There is no room for a request now. */
export class SpoolFull extends Error {}

interface Place {
  readonly segment: LiveSegment;
  readonly head: RequestFrame;
  readonly bodyAt: number;
  readonly bytes: number;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENT = /^(\d{12})\.seg$/;

/**
 * Keeps every request on disk until all owners have said that they are done with it. What `append` has resolved for survives the end of
 * this process by any means.
 */
export class RequestSpool {
  readonly #options: Required<RequestSpoolOptions>;
  readonly #live: LiveFrames = new LiveFrames();
  readonly #unlock: () => Promise<void>;
  /** Writes that nobody waits for. */
  readonly #background: Set<Promise<void>> = new Set();
  #writer: SegmentWriter | undefined;
  #segment: LiveSegment | undefined;
  #opening: Promise<void> | undefined;
  #reclaiming: Promise<void> | undefined;
  #hasNewToReclaim = false;
  #nextSegment = 1;
  #sequence = 0;
  /** Bytes of bodies that wait to be written. */
  #waiting = 0;
  /** What earlier processes have left. */
  #places: Place[] = [];

  private constructor(options: Required<RequestSpoolOptions>, unlock: () => Promise<void>) {
    this.#options = options;
    this.#unlock = unlock;
  }

  /** Throws when the folder cannot be written, or another process uses it. */
  static async open(options: RequestSpoolOptions): Promise<RequestSpool> {
    makeFolder(options.folder);
    await chmod(options.folder, 0o700);
    const unlock = await lockFolder(options.folder);
    const spool = new RequestSpool({ segmentBytes: Math.min(SEGMENT_BYTES, options.maxBytes / 4), ...options }, unlock);
    await spool.#readSegments();
    await spool.#openSegment();
    return spool;
  }

  get bytes(): number {
    return this.#live.bytes + this.#waiting;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /** Resolves to the request's sequence when it is on disk. Throws `SpoolFull`, or what the disk says. */
  async append(request: SpooledRequest): Promise<number> {
    const { body, ...head } = request;
    if (this.bytes + body.length > this.#options.maxBytes) {
      this.#reclaim();
      throw new SpoolFull();
    }
    this.#waiting += body.length;
    try {
      while (!this.#isReady) await this.#nextOpened();
    } finally {
      this.#waiting -= body.length;
    }
    this.#sequence += 1;
    const sequence = this.#sequence;
    await this.#write({ type: 'request', sequence, ...head }, body);
    return sequence;
  }

  /** An owner is done with everything up to a sequence. */
  done(owner: string, sequence: number): void {
    this.#live.done(owner, sequence);
    this.#inBackground(this.#writeDone(owner, sequence).finally(() => this.#reclaim()));
  }

  /** What earlier processes have left, each request with the owners that need it still, in the order in which they came. To be called once. */
  async *unfinished(): AsyncGenerator<StoredRequest> {
    const places = this.#places.toSorted((left, right) => left.head.sequence - right.head.sequence);
    this.#places = [];
    let known: { readonly segment: LiveSegment; readonly content: Buffer } | undefined;
    let last = 0;
    for (const { segment, head, bodyAt, bytes } of places) {
      const owners = this.#live.pending(head);
      // A process that was killed while it wrote frames anew has left both.
      if (owners.length === 0 || head.sequence === last) continue;
      last = head.sequence;
      if (known?.segment !== segment) known = { segment, content: await readFile(segment.path) };
      const { type: _, ...rest } = head;
      yield { ...rest, owners, body: known.content.subarray(bodyAt, bodyAt + bytes) };
    }
  }

  /** Waits for what is being written. What is unfinished stays for the next process. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#background);
    await this.#reclaiming;
    await this.#writer?.close();
    this.#writer = undefined;
    await this.#unlock();
  }

  async #readSegments(): Promise<void> {
    const names = (await readdir(this.#options.folder)).filter((name) => SEGMENT.test(name)).toSorted();
    for (const name of names) {
      this.#nextSegment = Number(SEGMENT.exec(name)?.[1]) + 1;
      await this.#readSegment(this.#live.open(join(this.#options.folder, name)));
    }
    // What an owner is done with stands before its word: all of it is read before anything is needed.
    for (const { segment, head, bytes } of this.#places) this.#live.needs(segment, head, bytes);
  }

  async #readSegment(segment: LiveSegment): Promise<void> {
    const content = await readFile(segment.path);
    this.#live.wrote(segment, content.length);
    for (const { head, body, bodyAt } of decodeFrames(content)) {
      this.#sequence = Math.max(this.#sequence, head.sequence);
      this.#live.names(segment, head);
      if (head.type === 'done') this.#live.done(head.owner, head.sequence);
      else this.#places.push({ segment, head, bodyAt, bytes: body.length });
    }
  }

  async #writeDone(owner: string, sequence: number): Promise<void> {
    while (!this.#isReady) await this.#nextOpened();
    await this.#write({ type: 'done', owner, sequence });
  }

  /** To be called in the breath in which `#isReady` was asked: frames stand in the order of their sequences. */
  async #write(head: FrameHead, body?: Uint8Array): Promise<void> {
    const [writer, segment] = [this.#writer, this.#segment];
    if (writer === undefined || segment === undefined) throw new Error('the spool is closed');
    const chunks = encodeFrame(head, body);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const write = this.#live.begin(segment, head, bytes);
    try {
      await writer.append(chunks, bytes);
      write.done();
    } catch (error) {
      write.failed();
      throw error;
    }
  }

  #nextOpened(): Promise<void> {
    this.#opening ??= this.#openSegment().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  get #isReady(): boolean {
    const { hasFailed = true } = this.#writer ?? {};
    return this.#opening === undefined && !hasFailed && (this.#segment?.bytes ?? 0) < this.#options.segmentBytes;
  }

  /** The one before is whole first, so that requests are answered in their order. */
  async #openSegment(): Promise<void> {
    const { folder, sync } = this.#options;
    const before = this.#writer;
    this.#writer = undefined;
    await before?.close();
    const path = join(folder, `${String(this.#nextSegment).padStart(12, '0')}.seg`);
    this.#nextSegment += 1;
    this.#writer = await SegmentWriter.create(path, sync);
    this.#segment = this.#live.open(path);
    if (sync === 'always') await syncFolder(folder);
  }

  /** Gives up what nobody needs; where that is not enough, what is needed of the oldest segment is written anew. */
  #reclaim(): void {
    this.#hasNewToReclaim = true;
    this.#reclaiming ??= this.#reclaimAll()
      .catch((error: unknown) => this.#options.onTrouble(`the spool cannot be tidied up: ${textOf(error)}`))
      .finally(() => {
        this.#reclaiming = undefined;
      });
  }

  async #reclaimAll(): Promise<void> {
    while (this.#hasNewToReclaim) {
      this.#hasNewToReclaim = false;
      await this.#reclaimNow();
    }
  }

  async #reclaimNow(): Promise<void> {
    // What was delivered stays on disk no longer than it must.
    if (this.#live.isNewestUnneeded) await this.#nextOpened();
    for (const { path } of this.#live.takeUnneeded()) await unlink(path);
    while (this.#live.bytes > this.#options.maxBytes / 2) {
      const oldest = this.#live.worthRewriting();
      if (oldest === undefined) return;
      for (const { head, body } of decodeFrames(await readFile(oldest.path))) {
        if (head.type === 'done' || this.#live.pending(head).length === 0) continue;
        while (!this.#isReady) await this.#nextOpened();
        await this.#write({ ...head, owners: this.#live.pending(head) }, body);
      }
      for (const { path } of [this.#live.dropOldest(), ...this.#live.takeUnneeded()]) await unlink(path);
    }
  }

  #inBackground(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => this.#options.onTrouble(`the spool cannot be written: ${textOf(error)}`))
      .finally(() => this.#background.delete(watched));
    this.#background.add(watched);
  }
}

/** A new file's name is on disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
