import type { Sessions } from '@spanprism/core/sessions';
import type { Forwarder } from './forwarder.ts';
import type { Intake } from './intake.ts';
import type { EndedSession, SessionTable } from './session-table.ts';
import { FORWARDED } from './spool/frames.ts';
import type { RequestSpool } from './spool/request-spool.ts';

export interface ReleaserParts {
  readonly spool: RequestSpool;
  readonly sessions: Sessions;
  readonly table: SessionTable;
  readonly forwarder: Forwarder;
  readonly intake: Intake;
}

const EVERY_MS = 1_000;
/** Of one wait for sinks or endpoints: longer than they batch, shorter than a user waits at the end. */
const FLUSH_MS = 10_000;

/** Gives requests on disk up once everything that they told of has been delivered. */
export class Releaser {
  readonly #parts: ReleaserParts;
  #timer: ReturnType<typeof setInterval> | undefined;
  #underWay: Promise<void> | undefined;
  /** Ended, but perhaps not delivered. */
  #waiting: EndedSession[] = [];
  #forwarded = 0;

  constructor(parts: ReleaserParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#parts.table.sweep();
      this.#underWay ??= this.#release(FLUSH_MS).finally(() => {
        this.#underWay = undefined;
      });
    }, EVERY_MS);
  }

  /** Once more, with everything that is between turns taken for ended. */
  async finish(deadlineMs: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
    this.#parts.table.endAll();
    await this.#release(deadlineMs);
  }

  async #release(deadlineMs: number): Promise<void> {
    await Promise.all([this.#releaseSessions(deadlineMs), this.#releaseForwarded(deadlineMs)]);
  }

  async #releaseSessions(deadlineMs: number): Promise<void> {
    const { sessions, spool, table } = this.#parts;
    this.#waiting.push(...table.takeEnded());
    if (this.#waiting.length === 0) return;
    const ended = this.#waiting;
    this.#waiting = [];
    const isDelivered = await sessions.flush(deadlineMs).then(
      () => true,
      // What sinks have given up they have told and counted; what only waits is asked for again.
      () => Object.values(sessions.stats().sinks).every(({ queued }) => queued === 0),
    );
    if (!isDelivered) this.#waiting.unshift(...ended);
    else for (const { id, lastSequence } of ended) spool.done(id, lastSequence);
  }

  async #releaseForwarded(deadlineMs: number): Promise<void> {
    const { forwarder, intake, spool } = this.#parts;
    const upTo = intake.lastForwarded;
    if (upTo === this.#forwarded) return;
    const isDelivered = await forwarder.flush(deadlineMs).then(
      () => true,
      () => forwarder.stats().queued === 0,
    );
    if (!isDelivered) return;
    this.#forwarded = upTo;
    spool.done(FORWARDED, upTo);
  }
}
