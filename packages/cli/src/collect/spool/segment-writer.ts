import { close, fdatasync, ftruncate, open, write } from 'node:fs';
import { promisify } from 'node:util';

/**
 * When a request counts as written: when the disk has it, or when the system has it. Both survive the end of this process by any means;
 * by `second`, the end of the system (a power cut) loses at most the last second.
 */
export type SyncPolicy = 'always' | 'second';

const SECOND_MS = 1_000;

interface Waiting {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

// On a plain descriptor: a handle costs more than the write.
const [opened, written, synced, closed] = [promisify(open), promisify(write), promisify(fdatasync), promisify(close)];
const cut = promisify(ftruncate);

/** One write and one sync serve all that came while those before were under way. */
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;

/** Appends to one file. What could not be written whole is taken back; where that fails too, or a sync, it takes nothing more. */
export class SegmentWriter {
  readonly #file: number;
  readonly #sync: SyncPolicy;
  #syncTimer: ReturnType<typeof setTimeout> | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #hasFailed = false;
  #isClosed = false;
  /** Bytes of what was written whole. */
  #length = 0;

  private constructor(file: number, sync: SyncPolicy) {
    this.#file = file;
    this.#sync = sync;
  }

  static async create(path: string, sync: SyncPolicy): Promise<SegmentWriter> {
    return new SegmentWriter(await opened(path, 'wx', 0o600), sync);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when it is written, by the policy; rejects when it may not be. */
  append(chunks: readonly Uint8Array[], bytes: number): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the segment is closed'));
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ chunks, bytes, resolve, reject }));
    this.#writing ??= this.#write();
    return done;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    clearTimeout(this.#syncTimer);
    if (this.#syncTimer !== undefined) await synced(this.#file);
    this.#syncTimer = undefined;
    await closed(this.#file);
  }

  async #write(): Promise<void> {
    // What came in by the same turn of the event loop is written in one piece.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        if (this.#hasFailed) throw new Error('the segment could not be written before');
        await this.#writeBatch(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > MOST_BYTES_AT_ONCE) break;
      bytes += waiting.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    // One buffer costs less than handing over each piece.
    const whole = Buffer.concat(batch.flatMap((waiting) => waiting.chunks));
    try {
      await this.#writeWhole(whole);
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    this.#length += whole.length;
    if (this.#sync === 'second') this.#syncTimer ??= setTimeout(() => this.#syncLater(), SECOND_MS);
  }

  async #writeWhole(whole: Buffer): Promise<void> {
    const { bytesWritten } = await written(this.#file, whole, 0, whole.length, this.#length);
    if (bytesWritten !== whole.length) throw new Error(`no room after ${bytesWritten} of ${whole.length} bytes`);
    if (this.#sync === 'second') return;
    try {
      await synced(this.#file);
    } catch (error) {
      // What the disk has of earlier ones nobody knows either.
      this.#hasFailed = true;
      throw error;
    }
  }

  /** A full disk leaves half a frame; the room that it takes is needed, and the next frame stands in its place. */
  async #takeBack(): Promise<void> {
    await cut(this.#file, this.#length).catch(() => {
      this.#hasFailed = true;
    });
  }

  /** What the disk says to this comes up with the next write. */
  #syncLater(): void {
    this.#syncTimer = undefined;
    synced(this.#file).catch(() => {
      this.#hasFailed = true;
    });
  }
}
