import { type FileHandle, open } from 'node:fs/promises';

/** When a request counts as written: after the system has put it on disk, or as soon as it has it in its own memory. */
export type SyncPolicy = 'always' | 'never';

interface Waiting {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One write and one sync serve all that came while those before were under way. */
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;

/** Appends to one file. After a failure it takes nothing more: what stands at its end may be half a frame. */
export class SegmentWriter {
  readonly #file: FileHandle;
  readonly #sync: SyncPolicy;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  private constructor(file: FileHandle, sync: SyncPolicy) {
    this.#file = file;
    this.#sync = sync;
  }

  static async create(path: string, sync: SyncPolicy): Promise<SegmentWriter> {
    return new SegmentWriter(await open(path, 'wx', 0o600), sync);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when it is written, by the policy; rejects when it may not be. */
  append(chunks: readonly Uint8Array[], bytes: number): Promise<void> {
    const written = new Promise<void>((resolve, reject) => this.#waiting.push({ chunks, bytes, resolve, reject }));
    this.#writing ??= this.#write();
    return written;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        if (this.#hasFailed) throw new Error('the segment could not be written before');
        await this.#writeBatch(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#hasFailed = true;
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
    const chunks = batch.flatMap((waiting) => waiting.chunks);
    const bytes = batch.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const { bytesWritten } = await this.#file.writev(chunks);
    if (bytesWritten !== bytes) throw new Error(`${bytesWritten} of ${bytes} bytes were written`);
    if (this.#sync === 'always') await this.#file.datasync();
  }
}
