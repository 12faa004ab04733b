import type { CapturedSpan, Sink } from '@spanprism/core';
import type { Journal } from './journal.ts';

/** What becomes of the spans of a turn. `merge`: those that are not there yet are added. */
type Verdict = 'new' | 'merge' | 'known' | 'early' | 'elsewhere';

export interface TurnInHand {
  readonly traceId: string;
  readonly key: string;
  readonly isEarly: boolean;
}

export interface Imported {
  readonly place: string;
  readonly runs: number;
  readonly turns: number;
  readonly spans: number;
  /** Turns that were there. */
  readonly knownTurns: number;
}

/** One place that spans go to, and what of them it has already. */
export class Destination {
  readonly sink: Sink;
  readonly #place: string;
  readonly #journal: Journal;
  /** Of the session that is being read, by trace. */
  readonly #verdicts: Map<string, Verdict> = new Map();
  /** The turns of these traces, until the first of their spans is handed over. */
  readonly #keys: Map<string, string> = new Map();
  readonly #runs: Set<string> = new Set();
  /** What waits for the end of its turn. */
  #held: CapturedSpan[] | undefined;
  #turns = 0;
  #spans = 0;
  #knownTurns = 0;

  constructor(sink: Sink, parts: { readonly place: string; readonly journal: Journal }) {
    this.#place = parts.place;
    this.#journal = parts.journal;
    const hand = (span: CapturedSpan): void => {
      if (this.#takes(span)) sink.spanEnd(span);
    };
    this.sink = withSpanEnd(sink, (span) => {
      if (this.#held === undefined) return hand(span);
      this.#held.push(span);
      if (isTurn(span)) for (const held of this.#held.splice(0)) hand(held);
    });
  }

  /** Of a session that goes on, only turns that are whole are taken: what was taken of a part could not be taken back. */
  sessionBegan(goesOn: boolean): void {
    this.#held = goesOn ? [] : undefined;
  }

  /** A turn begins. */
  turn({ traceId, key, isEarly }: TurnInHand): void {
    this.#keys.set(traceId, key);
    if (isEarly) this.#verdicts.set(traceId, 'early');
    else if (this.#journal.known([key]).size === 0) this.#verdicts.set(traceId, 'new');
    // What was traced while it happened may know its calls by other names: where an API gives none, each source has its own.
    else this.#verdicts.set(traceId, this.#journal.takesMore && this.#journal.isImported(key) ? 'merge' : 'known');
  }

  /** Its first call is told of: a turn that was traced while it happened is known by that. */
  firstCall({ traceId, key }: TurnInHand, callKey: string): void {
    const verdict = this.#verdicts.get(traceId);
    if (verdict !== 'new' && verdict !== 'merge') return;
    if (this.#journal.known([callKey]).size === 0) return;
    // A call without its turn was left by an import that was cut off.
    this.#verdicts.set(traceId, this.#journal.isImported(key) ? 'merge' : 'known');
  }

  /** Rows that were copied from a session which is imported itself. */
  isElsewhere(turn: TurnInHand): void {
    this.#verdicts.set(turn.traceId, 'elsewhere');
  }

  /** No more spans will come of the session that was read. */
  sessionEnded(): void {
    this.#verdicts.clear();
    this.#keys.clear();
  }

  /** Everything that was handed over is about to be delivered. */
  sending(): void {
    this.#journal.sending();
  }

  /** And has arrived. */
  arrived(): void {
    this.#journal.arrived();
  }

  /** How many were handed over. */
  get spans(): number {
    return this.#spans;
  }

  get imported(): Imported {
    return {
      place: this.#place,
      runs: this.#runs.size,
      turns: this.#turns,
      spans: this.#spans,
      knownTurns: this.#knownTurns,
    };
  }

  #takes(span: CapturedSpan): boolean {
    const verdict = this.#verdicts.get(span.traceId) ?? 'new';
    const isThere = verdict === 'known' || (verdict === 'merge' && this.#journal.known([span.key]).size > 0);
    if (isThere && isTurn(span)) this.#knownTurns += 1;
    if (isThere || verdict === 'early' || verdict === 'elsewhere') return false;
    this.#spans += 1;
    this.#runs.add(span.sessionId ?? span.traceId);
    const key = this.#keys.get(span.traceId);
    if (key !== undefined) this.#journal.began(key);
    this.#keys.delete(span.traceId);
    if (!isTurn(span)) return true;
    this.#turns += 1;
    this.#journal.ended(span.key);
    return true;
  }
}

function isTurn(span: CapturedSpan): boolean {
  return span.kind === 'agent' && span.role === 'main';
}

/** The sink as it is, but for what becomes of spans. */
function withSpanEnd(sink: Sink, spanEnd: Sink['spanEnd']): Sink {
  return new Proxy(sink, {
    get: (target, name) => {
      if (name === 'spanEnd') return spanEnd;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
