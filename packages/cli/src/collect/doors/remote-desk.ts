import { type ExportResponse, Rejected } from '@spanprism/core/receive';
import type { Arrival, Desk, DeskState } from './desk.ts';
import { LARGE_BYTES, type NumberedArrival, type PackedArrivals, packArrivals } from './packed-arrivals.ts';
import type { RefusalReason } from './refusals.ts';
import type { Answers, Question } from './thread-protocol.ts';

/** The way to the desk. */
export interface Way {
  readonly bring: (packed: PackedArrivals) => void;
  readonly ask: (question: Question) => void;
}

interface Waiting {
  readonly resolve: (said: never) => void;
  readonly reject: (error: Rejected<RefusalReason>) => void;
}

/** Each message costs as much as reading a request does. */
const ENOUGH = 16;

const TAKEN: ExportResponse = { rejected: 0 };

/**
 * The desk, as it looks from the thread of the doors. What arrives in one turn of the event loop goes over in one piece, and while the
 * desk has something to answer, what arrives meanwhile.
 */
export class RemoteDesk implements Desk {
  readonly #way: Way;
  readonly #waiting: Map<number, Waiting> = new Map();
  #arrivals: NumberedArrival[] = [];
  #lastId = 0;

  constructor(way: Way) {
    this.#way = way;
  }

  take(arrival: Arrival): Promise<ExportResponse> {
    if (this.#waiting.size === 0) setImmediate(() => this.#bring());
    const { id, said } = this.#wait<ExportResponse>();
    const isLarge = arrival.body.length >= LARGE_BYTES;
    if (isLarge) this.#bring();
    this.#arrivals.push({ ...arrival, id });
    if (isLarge || this.#arrivals.length >= ENOUGH) this.#bring();
    return said;
  }

  state(): Promise<DeskState> {
    return this.#ask('state');
  }

  metricsText(): Promise<string> {
    return this.#ask('metrics');
  }

  answer({ taken, others }: Answers): void {
    for (const id of taken) this.#answered(id)?.resolve(TAKEN as never);
    for (const answer of others) {
      const waiting = this.#answered(answer.id);
      if ('refusal' in answer) waiting?.reject(new Rejected(answer.refusal));
      // What is said is what was asked about.
      else waiting?.resolve(answer.said as never);
    }
    this.#bring();
  }

  #ask<Said>(about: Question['about']): Promise<Said> {
    // What has arrived before was before.
    this.#bring();
    const { id, said } = this.#wait<Said>();
    this.#way.ask({ type: 'question', id, about });
    return said;
  }

  #wait<Said>(): { readonly id: number; readonly said: Promise<Said> } {
    const id = ++this.#lastId;
    return { id, said: new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject })) };
  }

  #answered(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #bring(): void {
    if (this.#arrivals.length === 0) return;
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    this.#way.bring(packArrivals(arrivals));
  }
}
