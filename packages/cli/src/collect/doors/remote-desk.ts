import { type ExportResponse, Rejected } from '@spanprism/core/receive';
import type { Arrival, Desk, DeskState } from './desk.ts';
import type { RefusalReason } from './refusals.ts';
import type { Answer, Question } from './thread-protocol.ts';

type Ask = (questions: readonly Question[], bodies: readonly ArrayBuffer[]) => void;

interface Asking {
  readonly resolve: (said: never) => void;
  readonly reject: (error: Rejected<RefusalReason>) => void;
}

type Unasked = Question extends infer Q ? (Q extends Question ? Omit<Q, 'id'> : never) : never;

/** The desk, as it looks from the thread of the doors. What is asked in one turn of the event loop goes over in one piece. */
export class RemoteDesk implements Desk {
  readonly #ask: Ask;
  readonly #asking: Map<number, Asking> = new Map();
  #questions: Question[] = [];
  #bodies: ArrayBuffer[] = [];
  #lastId = 0;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  take({ signal, encoding, transport, body }: Arrival): Promise<ExportResponse> {
    const own = ofItsOwn(body);
    this.#bodies.push(own.buffer);
    return this.#question({ about: 'arrival', signal, encoding, transport, body: own });
  }

  state(): Promise<DeskState> {
    return this.#question({ about: 'state' });
  }

  metricsText(): Promise<string> {
    return this.#question({ about: 'metrics' });
  }

  answer(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const asking = this.#asking.get(answer.id);
      this.#asking.delete(answer.id);
      if ('refusal' in answer) asking?.reject(new Rejected(answer.refusal));
      // What is said is what was asked about.
      else asking?.resolve(answer.said as never);
    }
  }

  #question<Said>(question: Unasked): Promise<Said> {
    if (this.#questions.length === 0) setImmediate(() => this.#send());
    const id = ++this.#lastId;
    this.#questions.push({ ...question, id } as Question);
    return new Promise<Said>((resolve, reject) => this.#asking.set(id, { resolve, reject }));
  }

  #send(): void {
    const [questions, bodies] = [this.#questions, this.#bodies];
    this.#questions = [];
    this.#bodies = [];
    this.#ask(questions, bodies);
  }
}

/** Memory that can be handed over: nothing else is in it. */
function ofItsOwn(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = body;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === body.length;
  return isWhole ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(body);
}
