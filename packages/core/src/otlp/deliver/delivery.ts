import { given } from '../../model/given.ts';
import { type Complaints, RareComplaints } from './complaints.ts';
import { settle } from './delivery-options.ts';
import type { Delivery, DeliveryOptions, DeliverySettings, DeliveryStats } from './delivery-options.ts';
import { byteLengthOf, EntryQueue } from './entry-queue.ts';
import type { Entry } from './entry-queue.ts';
import { Flushes } from './flushes.ts';
import { Ledger } from './ledger.ts';
import { quote } from './masking.ts';
import { failed, Postman } from './postman.ts';
import type { Answer } from './postman.ts';
import { readRetryAfter, RetryGate } from './retry-gate.ts';
import { openSpool } from './spool.ts';
import type { Spool } from './spool.ts';
import { systemTimers } from './timers.ts';
import type { Timers } from './timers.ts';
import { Trouble } from './trouble.ts';
import { describeFailure } from './verdict.ts';

/** Starts the delivery of encoded records to one HTTP endpoint. Throws a `ConfigurationError` on an option it cannot work with. */
export function createDelivery(options: DeliveryOptions): Delivery {
  return new QueuedDelivery(options, settle(options));
}

/** One request, its retries not included. */
interface Flight {
  /** What of it has not come to an end. */
  readonly open: Set<Entry>;
  readonly cancel: AbortController;
  /** Its records were taken away (exit, close): whatever it learns no longer counts. */
  isAbandoned: boolean;
}

class QueuedDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #settings: DeliverySettings;
  readonly #timers: Timers;
  readonly #complaints: Complaints;
  readonly #gate: RetryGate;
  readonly #postman: Postman;
  readonly #spool: Spool | undefined;
  readonly #queue: EntryQueue = new EntryQueue();
  readonly #flights = new Set<Flight>();
  readonly #ledger: Ledger = new Ledger();
  readonly #flushes: Flushes;
  readonly #trouble: Trouble;
  #batchBytes: number;
  /** Single records that the backend found too large. */
  #tooLarge = 0;
  #flyingBytes = 0;
  #sequence = 0;
  /** Of this process, not yet ended. */
  #fresh = 0;
  #dueAt = 0;
  #wake: { readonly at: number; readonly cancel: () => void } | undefined;
  #isLoading = false;
  #closing: Promise<void> | undefined;

  constructor(options: DeliveryOptions, settings: DeliverySettings) {
    this.#options = options;
    this.#settings = settings;
    this.#timers = options.timers ?? systemTimers();
    this.#complaints = options.complaints ?? new RareComplaints(options.diag ?? (() => undefined), this.#timers);
    this.#gate = new RetryGate(settings.retry, this.#timers, options.random ?? Math.random);
    this.#trouble = new Trouble({ name: options.name, url: settings.url, ...given('fixes', options.fixes) });
    this.#postman = new Postman(options, settings, this.#timers);
    this.#flushes = new Flushes(this.#timers, this.#ledger, {
      held: () => this.#spool?.held() ?? 0,
      explain: (lost) => this.#trouble.explain(lost, this.#spool?.isUsable() === true),
    });
    this.#batchBytes = settings.maxBatchBytes;
    if (options.spool !== undefined) {
      this.#spool = openSpool(options.spool, {
        name: options.name,
        url: settings.url,
        now: () => this.#timers.now(),
        dropped: (reason, count) => this.#ledger.drop(reason, count),
        complain: (kind, line) => this.#complaints.say('warn', kind, `${options.name}: ${line}`),
      });
      this.#wakeIn(settings.scheduleMs);
    }
  }

  enqueue(record: Uint8Array): void {
    if (this.#closing !== undefined) return this.#dropUnqueued('closed', 'arrived after close()');
    if (record.byteLength > this.#settings.maxQueueBytes)
      return this.#dropUnqueued('too_large', 'is larger than the whole queue may be');
    const ref = this.#options.spool?.mode === 'always' ? this.#spool?.append(record) : undefined;
    this.#sequence += 1;
    this.#fresh += 1;
    if (this.#queue.size === 0) this.#dueAt = this.#timers.now() + this.#settings.scheduleMs;
    this.#queue.push(
      ref === undefined
        ? { bytes: record, sequence: this.#sequence }
        : { bytes: record, sequence: this.#sequence, ref },
    );
    this.#shedOldest();
    this.#arm();
  }

  flush(deadlineMs: number): Promise<void> {
    const flushed = this.#flushes.begin(this.#sequence, this.#fresh, Math.max(0, deadlineMs));
    this.#gate.hurry();
    this.#pump();
    return flushed;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.flush(deadlineMs).finally(() => {
      this.#leave('close_deadline');
      // A flush with a later deadline has nothing left to wait for.
      this.#flushes.endDone(undefined, true);
      this.#wake?.cancel();
      this.#postman.close();
    });
    return this.#closing;
  }

  persistSync(isFinal = false): void {
    if (this.#spool !== undefined) this.#leave('spool_failed');
    else if (isFinal) this.#loseAtExit();
    else return;
    this.#flushes.endDone(undefined, true);
  }

  stats(): DeliveryStats {
    let flying = 0;
    for (const flight of this.#flights) flying += flight.open.size;
    return this.#ledger.stats(this.#queue.size + flying);
  }

  #dropUnqueued(reason: string, why: string): void {
    this.#ledger.drop(reason, 1);
    this.#complaints.say('warn', reason, `${this.#options.name}: a record was dropped: it ${why}.`);
  }

  /** Memory is bounded whatever the backend does. */
  #shedOldest(): void {
    const shed: Entry[] = [];
    while (this.#queue.bytes + this.#flyingBytes > this.#settings.maxQueueBytes) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) break;
      shed.push(oldest);
    }
    if (shed.length === 0) return;
    this.#setAside(shed, 'queue_full');
    this.#complaints.say(
      'warn',
      'queue_full',
      `${this.#options.name}: the queue is full, the oldest records go first. ${this.#trouble.text}`.trim(),
    );
  }

  // Sending

  #pump(): void {
    while (this.#flights.size < this.#settings.concurrency && this.#isDue()) {
      this.#launch(this.#queue.take({ bytes: this.#batchBytes, items: this.#settings.maxBatchItems }));
    }
    this.#loadBacklog();
    const isIdle = this.#flights.size === 0 && this.#gate.isServerWish;
    const isBacklogDone = this.#gate.waitMs > 0 || !this.#hasBacklog();
    this.#flushes.endDone(isIdle ? this.#timers.now() + this.#gate.waitMs : undefined, isBacklogDone);
    this.#arm();
  }

  #isDue(): boolean {
    if (this.#queue.size === 0 || this.#gate.waitMs > 0) return false;
    return this.#isBatchFull() || this.#flushes.size > 0 || this.#timers.now() >= this.#dueAt;
  }

  #isBatchFull(): boolean {
    return this.#queue.size >= this.#settings.maxBatchItems || this.#queue.bytes >= this.#batchBytes;
  }

  #arm(): void {
    if (this.#flights.size >= this.#settings.concurrency) return;
    if (this.#queue.size === 0) {
      // The gate may have opened since the backlog was looked at.
      const isHeldBack = !this.#isLoading && !this.#closedForGood() && this.#spool?.hasBacklog() === true;
      if (isHeldBack) this.#wakeIn(this.#gate.waitMs);
      return;
    }
    const untilDue = this.#isBatchFull() || this.#flushes.size > 0 ? 0 : this.#dueAt - this.#timers.now();
    this.#wakeIn(Math.max(this.#gate.waitMs, untilDue));
  }

  #wakeIn(ms: number): void {
    const at = this.#timers.now() + ms;
    if (this.#wake !== undefined && this.#wake.at <= at) return;
    this.#wake?.cancel();
    const cancel = this.#timers.after(ms, () => {
      this.#wake = undefined;
      this.#pump();
    });
    this.#wake = { at, cancel };
  }

  #launch(batch: readonly Entry[]): void {
    const flight: Flight = { open: new Set(batch), cancel: new AbortController(), isAbandoned: false };
    const bytes = byteLengthOf(batch);
    this.#flights.add(flight);
    this.#flyingBytes += bytes;
    const undone = (error: unknown): readonly Entry[] => {
      // A rejection would end the user's program; what cannot be delivered is counted like all else.
      const text = `was not called, as delivery failed (${quote(describeFailure(error).text, { url: this.#settings.url, headers: {} })})`;
      return this.#refuse(flight, [...flight.open], failed({ verdict: 'drop', cause: 'internal_error', text }));
    };
    void this.#deliver(flight, batch)
      .catch(undone)
      .then((again) => {
        this.#flights.delete(flight);
        this.#flyingBytes -= bytes;
        this.#queue.putBack(again);
        this.#pump();
      });
  }

  /** Returns what is to be tried again. */
  async #deliver(flight: Flight, batch: readonly Entry[]): Promise<readonly Entry[]> {
    const now = this.#timers.now();
    for (const entry of batch) entry.triedAt ??= now;
    const answer = await this.#postman.carry(
      batch.map((entry) => entry.bytes),
      flight.cancel.signal,
    );
    if (flight.isAbandoned) return [];
    switch (answer.verdict) {
      case 'delivered':
        this.#accept(flight, batch, answer);
        return [];
      case 'split':
        if (batch.length > 1) return this.#deliverHalves(flight, batch);
        this.#tooLarge += 1;
        return this.#refuse(flight, batch, { ...answer, reason: 'too_large' });
      case 'drop':
        return this.#refuse(flight, batch, answer);
      case 'retry':
        return this.#retryLater(flight, batch, answer);
    }
  }

  async #deliverHalves(flight: Flight, batch: readonly Entry[]): Promise<readonly Entry[]> {
    const tooLargeBefore = this.#tooLarge;
    const middle = Math.ceil(batch.length / 2);
    const halves = [batch.slice(0, middle), batch.slice(middle)];
    const again: Entry[] = [];
    for (const half of halves) {
      const isHeld = flight.isAbandoned || again.length > 0;
      again.push(...(isHeld ? half : await this.#deliver(flight, half)));
    }
    // Unless one record was to blame, the limit is the backend's: no need to hear it with every batch.
    if (this.#tooLarge === tooLargeBefore)
      this.#batchBytes = Math.min(this.#batchBytes, Math.ceil(byteLengthOf(batch) / 2));
    return flight.isAbandoned ? [] : again;
  }

  #accept(flight: Flight, batch: readonly Entry[], answer: Answer): void {
    this.#gate.succeed();
    this.#trouble.end();
    const rejected = Math.min(batch.length, Math.max(0, Math.trunc(answer.receipt?.rejected ?? 0)));
    this.#ledger.deliver(batch.length - rejected);
    this.#ledger.drop('rejected', rejected);
    const said = answer.receipt?.message ?? '';
    if (rejected > 0 || said !== '') {
      const what = rejected > 0 ? `rejected ${rejected} of ${batch.length} records` : 'took the records with a warning';
      const trouble = this.#trouble.note({ text: `${what}${said === '' ? '' : ` ("${said}")`}`, cause: '' });
      this.#complaints.say('warn', 'rejected', `${this.#options.name}: ${trouble}`);
    }
    this.#end(flight, batch);
  }

  #refuse(flight: Flight, batch: readonly Entry[], answer: Answer): readonly Entry[] {
    this.#ledger.drop(answer.reason, batch.length);
    const trouble = this.#trouble.fail(answer);
    this.#complaints.say('error', answer.reason, `${this.#options.name}: ${batch.length} records dropped: ${trouble}`);
    this.#end(flight, batch);
    return [];
  }

  #retryLater(flight: Flight, batch: readonly Entry[], answer: Answer): readonly Entry[] {
    this.#spool?.touch();
    this.#gate.fail(readRetryAfter(answer.responseHeaders, this.#timers.now()));
    const trouble = this.#trouble.fail(answer);
    const atEnd = this.#spool?.isUsable() ? 'sent at its next start' : 'lost';
    this.#complaints.say(
      'warn',
      `retry ${answer.cause}`,
      `${this.#options.name}: ${trouble} Will try again; what is left at the end of the program is ${atEnd}.`,
    );
    const nextTryMs = this.#gate.isServerWish ? 0 : this.#gate.waitMs;
    const givesUpBefore = this.#timers.now() + nextTryMs - this.#settings.retry.maxElapsedMs;
    const expired = batch.filter((entry) => (entry.triedAt ?? 0) < givesUpBefore);
    if (expired.length === 0) return batch;
    const where = this.#spool?.isUsable() ? 'put aside on disk' : 'dropped';
    this.#complaints.say(
      'error',
      'retry_expired',
      `${this.#options.name}: ${expired.length} records ${where} after retries: ${trouble}`,
    );
    for (const entry of expired) flight.open.delete(entry);
    this.#setAside(expired, 'retry_expired');
    return batch.filter((entry) => flight.open.has(entry));
  }

  // Endings

  /** Delivered or dropped: in neither case is it to be sent again. */
  #end(flight: Flight, batch: readonly Entry[]): void {
    this.#spool?.settle(batch.flatMap((entry) => entry.ref ?? []));
    for (const entry of batch) {
      flight.open.delete(entry);
      this.#forget(entry);
    }
  }

  /** Out of memory: to disk where there is a spool, else lost. */
  #setAside(entries: readonly Entry[], reason: string): void {
    let lost = 0;
    for (const entry of entries) {
      const isSafe = this.#park(entry);
      if (!isSafe) lost += 1;
      else if (entry.sequence > 0) this.#ledger.spool(1);
      this.#forget(entry);
    }
    this.#ledger.drop(reason, lost);
  }

  #loseAtExit(): void {
    const { queued } = this.stats();
    this.#leave('exit');
    if (queued === 0 || this.#trouble.isTold) return;
    const line = `${queued} records are lost, as the process ended before they were sent: await tracing.close() first, or give the sink a spool.`;
    this.#complaints.say('warn', 'exit', `${this.#options.name}: ${line}`);
  }

  /** What is not on disk after this is lost. */
  #leave(reason: string): void {
    this.#setAside(this.#takeEverything(), reason);
    this.#ledger.handOver(this.#spool?.held() ?? 0);
    this.#spool?.release();
  }

  #park(entry: Entry): boolean {
    if (this.#spool === undefined) return false;
    if (entry.ref !== undefined && this.#spool.park(entry.ref)) return true;
    const ref = this.#spool.append(entry.bytes);
    return ref !== undefined && this.#spool.park(ref);
  }

  #forget(entry: Entry): void {
    if (entry.sequence === 0) return;
    this.#fresh -= 1;
    this.#flushes.ended(entry.sequence);
  }

  #takeEverything(): Entry[] {
    const taken: Entry[] = [];
    for (const flight of this.#flights) {
      flight.isAbandoned = true;
      taken.push(...flight.open);
      flight.open.clear();
      flight.cancel.abort();
    }
    return [...taken, ...this.#queue.takeAll()];
  }

  // What an earlier process left behind

  #hasBacklog(): boolean {
    if (this.#spool === undefined) return false;
    let inMemory = this.#queue.size;
    for (const flight of this.#flights) inMemory += flight.open.size;
    return this.#isLoading || inMemory > this.#fresh || this.#spool.hasBacklog();
  }

  /** Own records first; the old ones come in one segment at a time, so memory stays bounded. */
  #loadBacklog(): void {
    const isBusy = this.#isLoading || this.#queue.size > 0 || this.#gate.waitMs > 0 || this.#closedForGood();
    if (this.#spool === undefined || isBusy || !this.#spool.hasBacklog()) return;
    this.#isLoading = true;
    void this.#spool.load().then((found) => {
      this.#isLoading = false;
      this.#dueAt = 0;
      for (const { bytes, ref } of found) this.#queue.push({ bytes, ref, sequence: 0 });
      this.#pump();
    });
  }

  #closedForGood(): boolean {
    return this.#closing !== undefined && this.#flushes.size === 0;
  }
}
