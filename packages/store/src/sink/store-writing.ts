import type { CapturedSpan, Diag, SinkStats } from '@spanprism/core';
import { encodeSpan } from '../canonical-json.ts';
import { openForWriting } from '../open-database.ts';
import { fieldsOf, type SpanRow } from '../span-row.ts';
import type { RetentionLimits } from '../write/retention.ts';
import { isBusy } from '../sqlite.ts';
import { writeEach } from '../write/write-each.ts';
import { Writer } from '../write/writer.ts';
import { Backlog, type BacklogLimits } from './backlog.ts';
import { type Channel, type ChannelOptions, localChannel, threadChannel } from './channel.ts';
import { Flushes } from './flushes.ts';
import { writeLeftovers } from './leftovers.ts';
import { isPackable } from './packed-rows.ts';
import type { Told } from './scribe.ts';

export interface StoreWritingOptions {
  readonly path: string;
  readonly name: string;
  readonly diag: Diag;
  readonly backlog: BacklogLimits;
  readonly retention: RetentionLimits;
  /** Default: a thread. Throws where there is none. */
  readonly openThread?: (options: ChannelOptions) => Channel;
}

const LATE = 'not everything could be stored in time';
/** A program that ends sooner than this after its first span writes all it has by itself: to start a thread takes longer. */
const BEFORE_THREAD_MS = 100;
/** How long a program that ends waits for another's lock. */
const EXIT_BUSY_MS = 250;

/** Spans on their way to the store, until the scribe says that they are there. */
export class StoreWriting {
  readonly #options: StoreWritingOptions;
  readonly #backlog: Backlog;
  readonly #flushes: Flushes = new Flushes((isHeld) => this.#channel?.hold(isHeld));
  readonly #dropped: Record<string, number> = {};
  #channel: Channel | undefined;
  /** The thread is gone, and another channel has what it did not acknowledge. */
  #isReplaced = false;
  #closed: Promise<void> | undefined;
  #isScheduled = false;
  #isOverflowing = false;
  #delivered = 0;
  /** What the scribe last said of why it cannot write. */
  #trouble: string | undefined;
  /** The file will not get better: spans are left over, a batch at a time. */
  #isDamaged = false;
  #hasLeftOver = false;
  /** Dropped since a flush last told of it, and how many of those were told of when it happened. */
  #untold = 0;
  #toldLost = 0;

  constructor(options: StoreWritingOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.backlog);
  }

  get fullness(): number {
    return this.#backlog.fullness;
  }

  add(span: CapturedSpan): void {
    if (this.#closed !== undefined) return this.#drop('closed', 'a span came after close() and is dropped');
    const fields = fieldsOf(span);
    if (!isPackable(fields)) return this.#drop('refused', 'a span whose times are no instants cannot be stored');
    if (!this.#backlog.add(fields, encodeSpan(span))) return this.#overflow();
    if (this.#backlog.isBatchFull) return this.#isDamaged ? this.#leaveAllOver() : this.#send();
    if (this.#isScheduled || this.#isDamaged) return;
    this.#isScheduled = true;
    const send = (): void => {
      this.#isScheduled = false;
      if (!this.#isDamaged) this.#send();
    };
    // What ends in one turn of the loop goes over in one piece.
    if (this.#channel !== undefined) setImmediate(send);
    else setTimeout(send, BEFORE_THREAD_MS).unref();
  }

  async flush(deadlineMs: number): Promise<void> {
    if (this.#isDamaged) this.#leaveAllOver();
    else this.#send();
    const upTo = this.#backlog.lastId;
    const { firstId } = this.#backlog;
    const isDone = firstId === undefined || firstId > upTo || (await this.#flushes.wait(upTo, deadlineMs));
    if (!isDone)
      throw new Error(`${this.#backlog.spans} spans wait to be stored in ${this.#options.path}: ${this.#reason()}`);
    const lost = this.#untold;
    const isTold = lost === this.#toldLost;
    this.#untold = this.#toldLost = 0;
    if (lost === 0) return;
    throw Object.assign(new Error(`${lost} spans could not be stored in ${this.#options.path}: see stats()`), {
      isTold,
    });
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  persistSync(): void {
    const rows = this.#backlog.takeAll();
    if (rows.length === 0) return;
    try {
      const refused = this.#writeHere(rows);
      this.#delivered += rows.length - refused;
      this.#count('refused', refused);
    } catch (error) {
      this.#leaveOver(rows, isBusy(error) ? LATE : wordsOf(error));
    }
  }

  stats(): SinkStats {
    return { delivered: this.#delivered, queued: this.#backlog.spans, dropped: { ...this.#dropped } };
  }

  async #close(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    let failure: unknown;
    await this.flush(deadlineMs).catch((error: unknown) => {
      failure = error;
    });
    const rows = this.#backlog.takeAll();
    if (rows.length > 0) failure = this.#leaveOver(rows, LATE) ? undefined : failure;
    if (this.#channel !== undefined) await within(this.#channel.close(), Math.max(50, end - performance.now()));
    if (failure !== undefined) throw failure;
  }

  #send(): void {
    const batch = this.#backlog.takeBatch();
    if (batch === undefined) return;
    this.#channel ??= this.#open();
    this.#channel.send(batch.id, batch.rows);
  }

  #open(): Channel {
    const { path, retention, openThread = threadChannel } = this.#options;
    // What comes late is about memory that the other channel reads.
    const tell = (told: Told): void => void (this.#isReplaced || this.#hear(told));
    try {
      return openThread({ path, retention, tell, onGone: (reason) => this.#replace(reason) });
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
    this.#isReplaced = true;
    const channel = this.#openHere(reason);
    this.#channel = channel;
    if (this.#flushes.isAwaited) channel.hold(true);
    for (const { id, rows } of this.#backlog.batches()) channel.send(id, rows);
  }

  #hear(told: Told): void {
    const { name, diag, path } = this.#options;
    if (told.type === 'note') return diag('warn', `${name}: ${told.message}`);
    if (told.type === 'damaged') return this.#giveUp(told.message);
    if (told.type === 'trouble') {
      this.#trouble = told.message;
      return diag('warn', `${name}: nothing can be stored in ${path} for now: ${told.message}`);
    }
    this.#trouble = undefined;
    this.#delivered += this.#backlog.settle(told.ids) - told.refused;
    if (this.#backlog.fullness < 0.5) this.#isOverflowing = false;
    this.#count('refused', told.refused);
    this.#flushes.settled(this.#backlog.firstId);
  }

  #giveUp(message: string): void {
    this.#isDamaged = true;
    this.#trouble = message;
    this.#leaveAllOver();
  }

  #leaveAllOver(): void {
    const rows = this.#backlog.takeAll();
    if (rows.length > 0) this.#leaveOver(rows, this.#reason());
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

  #writeHere(rows: readonly SpanRow[]): number {
    const { path, name, diag } = this.#options;
    const database = openForWriting(path, { busyMs: EXIT_BUSY_MS });
    try {
      return writeEach(new Writer(database), rows, (message) => diag('warn', `${name}: ${message}`));
    } finally {
      database.close();
    }
  }

  /** False when even that is not possible. */
  #leaveOver(rows: readonly SpanRow[], why: string): boolean {
    const { path, name, diag } = this.#options;
    try {
      const file = writeLeftovers(path, rows);
      // A damaged file is told of once, not with each batch.
      const level = this.#isDamaged && this.#hasLeftOver ? 'debug' : 'warn';
      this.#hasLeftOver = true;
      diag(level, `${name}: ${why}; ${rows.length} spans are in ${file} until the next start`);
      return true;
    } catch (error) {
      this.#count('not_stored', rows.length);
      this.#toldLost += rows.length;
      const reason = `${path}: ${why}, and no file beside it can be written: ${wordsOf(error)}`;
      diag('error', `${name}: ${rows.length} spans are lost: ${reason}`);
      return false;
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function within(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
