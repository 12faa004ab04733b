import { type CaptureOptions, type CapturedSpan, ConfigurationError, type Diag, type Sink } from '@spanprism/core';
import { sinkDiag } from '@spanprism/core/otlp';
import { openForWriting } from '../open-database.ts';
import { rowOf, type SpanRow } from '../span-row.ts';
import { isBusy, StoreProblem } from '../sqlite.ts';
import { defaultStorePath, type Environment } from '../store-path.ts';
import type { RetentionLimits } from '../write/retention.ts';
import { Writer } from '../write/writer.ts';
import { Backlog, type BacklogLimits } from './backlog.ts';
import { type Channel, localChannel, threadChannel } from './channel.ts';
import { Flushes } from './flushes.ts';
import { writeLeftovers } from './leftovers.ts';
import type { Told } from './scribe.ts';
import { sinkLimits } from './sink-limits.ts';

export interface SqliteSinkOptions {
  /** Default: `defaultStorePath()`. */
  readonly path?: string;
  /** Unique among the sinks of a program. Default `store`. */
  readonly name?: string;
  /** What is kept; the policy of `createTracing` unless given, which is metadata unless told otherwise. */
  readonly capture?: CaptureOptions;
  /** Days for which a run is kept since it was last written to. Default 30, or `SPANPRISM_STORE_MAX_AGE_DAYS`. */
  readonly maxAgeDays?: number;
  /** Size of the file above which the oldest runs go. Default 2 GiB, or `SPANPRISM_STORE_MAX_BYTES`. */
  readonly maxBytes?: number;
  /** What may wait to be written; beyond it spans are dropped, and counted. Default 100,000 spans. */
  readonly maxQueuedSpans?: number;
  /** Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** Default: where those of `createTracing` go. */
  readonly diag?: Diag;
  readonly environment?: Environment;
}

export interface SqliteSink extends Sink {
  readonly path: string;
  /** How full the queue is, from 0 to 1: whoever can wait does so before spans are dropped. */
  readonly fullness: number;
  persistSync(): void;
}

/**
 * Keeps traces in a SQLite file on this machine. Throws a `ConfigurationError` when the file cannot be one. Spans are written by a
 * thread: neither a slow disk nor another process's lock takes time from the program.
 */
export function sqliteSink(options: SqliteSinkOptions = {}): SqliteSink {
  const { environment = process.env, name = 'store', capture } = options;
  const { path = defaultStorePath(environment) } = options;
  const limits = sinkLimits(options, environment);
  checkStore(path);
  const { diag, useDiag } = sinkDiag(options.diag, environment);
  const writing = new StoreWriting({ path, name, diag, ...limits });
  return {
    name,
    path,
    ...(capture === undefined ? {} : { capture }),
    get fullness() {
      return writing.fullness;
    },
    spanEnd: (span) => writing.add(span),
    flush: (deadlineMs) => writing.flush(deadlineMs),
    close: (deadlineMs) => writing.close(deadlineMs),
    persistSync: () => writing.persistSync(),
    stats: () => writing.stats(),
    useDiag,
  };
}

/** Bad configuration is told at once, in words for the user; a lock is none. */
function checkStore(path: string): void {
  try {
    openForWriting(path, { busyMs: 0 }).close();
  } catch (error) {
    if (error instanceof StoreProblem) throw new ConfigurationError(error.code, error.message, { cause: error });
    if (!isBusy(error)) throw error;
  }
}

interface WritingOptions {
  readonly path: string;
  readonly name: string;
  readonly diag: Diag;
  readonly backlog: BacklogLimits;
  readonly retention: RetentionLimits;
}

/** How long a program that ends waits for another's lock. */
const EXIT_BUSY_MS = 250;

class StoreWriting {
  readonly #options: WritingOptions;
  readonly #backlog: Backlog;
  readonly #flushes: Flushes = new Flushes((isHeld) => this.#channel?.hold(isHeld));
  readonly #dropped: Record<string, number> = {};
  #channel: Channel | undefined;
  #closed: Promise<void> | undefined;
  #isScheduled = false;
  #isOverflowing = false;
  #delivered = 0;
  /** What the scribe last said of why it cannot write. */
  #trouble: string | undefined;
  /** Dropped since a flush last told of it. */
  #untold = 0;

  constructor(options: WritingOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.backlog);
  }

  get fullness(): number {
    return this.#backlog.fullness;
  }

  add(span: CapturedSpan): void {
    const row = rowOf(span);
    if (this.#closed !== undefined) return this.#drop('closed', 'a span came after close() and is dropped');
    if (!this.#backlog.add(row)) return this.#overflow();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // What ends in one turn of the loop goes over in one piece.
    setImmediate(() => this.#send());
  }

  async flush(deadlineMs: number): Promise<void> {
    this.#send();
    const upTo = this.#backlog.lastId;
    const { firstId } = this.#backlog;
    const isDone = firstId === undefined || firstId > upTo || (await this.#flushes.wait(upTo, deadlineMs));
    if (!isDone)
      throw new Error(`${this.#backlog.spans} spans wait to be stored in ${this.#options.path}: ${this.#reason()}`);
    const lost = this.#untold;
    this.#untold = 0;
    if (lost > 0) throw new Error(`${lost} spans could not be stored in ${this.#options.path}: see stats()`);
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  persistSync(): void {
    const rows = this.#backlog.takeAll();
    if (rows.length === 0) return;
    try {
      this.#writeHere(rows);
      this.#delivered += rows.length;
    } catch {
      this.#leaveOver(rows);
    }
  }

  stats(): { delivered: number; queued: number; dropped: Record<string, number> } {
    return { delivered: this.#delivered, queued: this.#backlog.spans, dropped: { ...this.#dropped } };
  }

  async #close(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    let failure: unknown;
    await this.flush(deadlineMs).catch((error: unknown) => {
      failure = error;
    });
    const rows = this.#backlog.takeAll();
    if (rows.length > 0) failure = this.#leaveOver(rows) ? undefined : failure;
    if (this.#channel !== undefined) await within(this.#channel.close(), Math.max(50, end - performance.now()));
    if (failure !== undefined) throw failure;
  }

  #send(): void {
    this.#isScheduled = false;
    const batch = this.#backlog.takeBatch();
    if (batch === undefined) return;
    this.#channel ??= this.#open();
    this.#channel.send(batch.id, batch.rows);
  }

  #open(): Channel {
    const { path, retention } = this.#options;
    const options = { path, retention, tell: (told: Told) => this.#hear(told) };
    try {
      return threadChannel({ ...options, onGone: (reason) => this.#replace(reason) });
    } catch (error) {
      return this.#openHere(String(error));
    }
  }

  #openHere(reason: string): Channel {
    const { path, retention, name, diag } = this.#options;
    diag('warn', `${name}: its thread is not there (${reason}); the main thread writes in its place`);
    return localChannel({ path, retention, tell: (told) => this.#hear(told) });
  }

  /** Whatever the thread has not acknowledged is written again: what it did write is known by its key. */
  #replace(reason: string): void {
    const channel = this.#openHere(reason);
    this.#channel = channel;
    if (this.#flushes.isAwaited) channel.hold(true);
    for (const { id, rows } of this.#backlog.batches()) channel.send(id, rows);
  }

  #hear(told: Told): void {
    const { name, diag, path } = this.#options;
    if (told.type === 'note') return diag('warn', `${name}: ${told.message}`);
    if (told.type === 'trouble') {
      this.#trouble = told.message;
      return diag('warn', `${name}: nothing can be stored in ${path} for now: ${told.message}`);
    }
    this.#trouble = undefined;
    this.#isOverflowing = false;
    this.#delivered += this.#backlog.settle(told.ids) - told.refused;
    this.#count('refused', told.refused);
    this.#flushes.settled(this.#backlog.firstId);
  }

  #overflow(): void {
    this.#count('queue_full', 1);
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    const { name, diag } = this.#options;
    diag(
      'warn',
      `${name}: too many spans wait to be stored, so new ones are dropped (${this.#reason()}); stats() counts them`,
    );
  }

  #drop(why: string, message: string): void {
    if (this.#dropped[why] === undefined) this.#options.diag('warn', `${this.#options.name}: ${message}`);
    this.#count(why, 1);
  }

  #count(why: string, count: number): void {
    if (count === 0) return;
    this.#dropped[why] = (this.#dropped[why] ?? 0) + count;
    this.#untold += count;
  }

  #reason(): string {
    return this.#trouble ?? 'another program holds its lock, or the disk is slow';
  }

  #writeHere(rows: readonly SpanRow[]): void {
    const database = openForWriting(this.#options.path, { busyMs: EXIT_BUSY_MS });
    try {
      new Writer(database).write(rows);
    } finally {
      database.close();
    }
  }

  /** False when even that is not possible. */
  #leaveOver(rows: readonly SpanRow[]): boolean {
    const { path, name, diag } = this.#options;
    try {
      const file = writeLeftovers(
        path,
        rows.map(({ line }) => line),
      );
      diag(
        'warn',
        `${name}: ${rows.length} spans could not be stored in time; they are in ${file} until the next start`,
      );
      return true;
    } catch (error) {
      this.#count('not_stored', rows.length);
      diag('error', `${name}: ${rows.length} spans are lost: ${String(error)}`);
      return false;
    }
  }
}

async function within(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
