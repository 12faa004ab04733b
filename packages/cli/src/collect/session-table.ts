import type { OtlpLog, OtlpRequest } from '@spanprism/core/otlp';
import type { Session, Sessions } from '@spanprism/core/sessions';
import { byTrace, SessionIds } from './session-ids.ts';
import type { StoredRequest } from './spool/request-spool.ts';

export interface SessionLimits {
  readonly maxOpen: number;
  /** How long a session may be silent: between turns, and while a turn is open, of which a tool or its user may take long. */
  readonly idleMs: number;
  readonly idleInTurnMs: number;
  /** How long a finished turn waits for the rest of its telemetry. */
  readonly settleMs: number;
}

/** A session of which nothing more is expected; what it was told is needed until sinks have delivered it. */
export interface EndedSession {
  readonly id: string;
  /** Of the last request that told of it. */
  readonly lastSequence: number;
}

interface Entry {
  readonly session: Session;
  readonly ids: SessionIds;
  readonly turns: Turns;
  lastAt: number;
  lastSequence: number;
}

/** The sessions of which telemetry comes in, each traced on its own, from its first record until it has been silent for long. */
export class SessionTable {
  readonly #sessions: Sessions;
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  /** The one that was heard of least lately is first. */
  readonly #entries = new Map<string, Entry>();
  readonly #endedTurns = new EndedTurns();
  #ended: EndedSession[] = [];
  #opened = 0;

  constructor(sessions: Sessions, limits: SessionLimits, now: () => number) {
    this.#sessions = sessions;
    this.#limits = limits;
    this.#now = now;
  }

  get open(): number {
    return this.#entries.size;
  }

  get opened(): number {
    return this.#opened;
  }

  receive(id: string, request: OtlpRequest, { sequence, at }: Pick<StoredRequest, 'sequence' | 'at'>): void {
    const entry = this.#entries.get(id) ?? this.#newEntry(id);
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.lastAt = this.#now();
    entry.lastSequence = sequence;
    for (const { traceId, part } of byTrace(request)) {
      entry.turns.note(part);
      entry.ids.reading(`${sequence}/${at}`, traceId);
      entry.session.receive(part);
    }
    if (this.#entries.size > this.#limits.maxOpen) this.#endFirst();
  }

  /** Ends what has been silent for long. */
  sweep(): void {
    const now = this.#now();
    for (const [id, entry] of this.#entries) {
      const limit = entry.turns.areOpen ? this.#limits.idleInTurnMs : this.#limits.idleMs;
      if (now - entry.lastAt > limit) this.#end(id, entry);
    }
  }

  /** For the end of this process: a session in the middle of a turn is let go of unheard, and is told anew to the next one. */
  endAll(): void {
    for (const [id, entry] of this.#entries) {
      if (!entry.turns.areOpen) this.#end(id, entry);
      else {
        this.#entries.delete(id);
        entry.session.discard();
      }
    }
  }

  /** Those that have ended since this was last asked. */
  takeEnded(): readonly EndedSession[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  #newEntry(id: string): Entry {
    const ids = new SessionIds(id);
    const { settleMs } = this.#limits;
    const session = this.#sessions.open({ sources: ['cli'], ids, settleMs, knowsEnd: false });
    this.#opened += 1;
    return { session, ids, turns: new Turns(id, this.#endedTurns), lastAt: 0, lastSequence: 0 };
  }

  #endFirst(): void {
    for (const [id, entry] of this.#entries) return this.#end(id, entry);
  }

  #end(id: string, entry: Entry): void {
    this.#entries.delete(id);
    entry.session.end();
    this.#ended.push({ id, lastSequence: entry.lastSequence });
  }
}

/** Which turns have begun and not ended. A turn begins with the log of its prompt, which names the span that is exported when it ends. */
class Turns {
  readonly #sessionId: string;
  readonly #open: Set<string> = new Set();
  readonly #ended: EndedTurns;

  constructor(sessionId: string, ended: EndedTurns) {
    this.#sessionId = sessionId;
    this.#ended = ended;
  }

  get areOpen(): boolean {
    return this.#open.size > 0;
  }

  note(request: OtlpRequest): void {
    if (request.signal === 'metrics') return;
    if (request.signal === 'logs') return request.groups.forEach(({ records }) => this.#noteLogs(records));
    for (const { records } of request.groups)
      for (const { name, spanId } of records) if (name === 'claude_code.interaction') this.#end(spanId);
  }

  #noteLogs(logs: readonly OtlpLog[]): void {
    for (const { attributes, spanId } of logs)
      if (attributes['event.name'] === 'user_prompt' && spanId !== undefined) this.#begin(spanId);
  }

  #begin(spanId: string): void {
    if (!this.#ended.has(this.#sessionId, spanId)) this.#open.add(spanId);
  }

  #end(spanId: string): void {
    this.#open.delete(spanId);
    this.#ended.add(this.#sessionId, spanId);
  }
}

const REMEMBERED = 10_000;

/**
 * At least the last `REMEMBERED` turns that have ended, and never twice as many. Spans and logs are exported apart: the end may be known
 * first, and the session have ended before it is heard of the beginning.
 */
class EndedTurns {
  #recent: Set<string> = new Set();
  #older: Set<string> = new Set();

  has(sessionId: string, spanId: string): boolean {
    const turn = `${sessionId}/${spanId}`;
    return this.#recent.has(turn) || this.#older.has(turn);
  }

  add(sessionId: string, spanId: string): void {
    if (this.#recent.size >= REMEMBERED) {
      this.#older = this.#recent;
      this.#recent = new Set();
    }
    this.#recent.add(`${sessionId}/${spanId}`);
  }
}
