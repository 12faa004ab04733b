import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { Diag } from '@spanprism/core';
import { type ExportResponse, Rejected } from '@spanprism/core/receive';
import { CommandError } from '../../command.ts';
import type { Desk, DeskState } from './desk.ts';
import type { DoorSettings } from './door-settings.ts';
import type { Doors } from './open-doors.ts';
import type { RefusalReason } from './refusals.ts';
import { unpackArrivals } from './packed-arrivals.ts';
import type { Answer, Answers, Question, ThreadStart, ToDesk, ToDoors } from './thread-protocol.ts';

export interface DoorKeeper {
  readonly desk: Desk;
  readonly onRefused: (reason: RefusalReason) => void;
  readonly diag: Diag;
}

export interface StartedDoors extends Doors {
  /** Resolves to the reason when the thread has died: nobody is let in any more. */
  readonly died: Promise<string>;
}

/** What is young dies young there: room for more of it than a processor's cache holds is only memory. Bodies are not in it. */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 12 };

/** To end in, beyond the deadline. */
const GRACE_MS = 1_000;

/**
 * Opens the doors in a thread of their own: connections, TLS and unpacking take as much time as what is done with a request, and peers are
 * heard while that is done. Rejects with a `CommandError` when it cannot listen.
 */
export function startDoors(keeper: DoorKeeper, settings: DoorSettings): Promise<StartedDoors> {
  const here = import.meta.url;
  const entry = new URL(`./doors-thread${here.slice(here.lastIndexOf('.'))}`, here);
  const workerData: ThreadStart = { settings };
  const worker = new Worker(entry, { name: 'spanprism-doors', workerData, resourceLimits: LIMITS });
  const tell = (message: ToDoors): void => worker.postMessage(message);
  const answers = new AnswersOfOneGo(tell);
  let onClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const died = new Promise<string>((resolve) => {
    worker.on('error', (error) => resolve(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => resolve(`it ended with code ${code}`));
  });
  void died.then(() => onClosed());
  return new Promise((resolve, reject) => {
    const close = async (deadlineMs: number): Promise<void> => {
      tell({ type: 'close', deadlineMs });
      const overdue = setTimeout(onClosed, deadlineMs + GRACE_MS);
      await closed;
      clearTimeout(overdue);
      await worker.terminate();
    };
    const refuse = (why: ConstructorParameters<typeof CommandError>[0]): void => {
      reject(new CommandError(why));
      void worker.terminate();
    };
    worker.on('message', (message: ToDesk) => {
      switch (message.type) {
        case 'arrivals':
          for (const { id, ...arrival } of unpackArrivals(message.packed))
            void answer(keeper, id, () => keeper.desk.take(arrival)).then((given) => answers.give(given));
          return;
        case 'question':
          void answer(keeper, message.id, () => said(keeper.desk, message)).then((given) => answers.give(given));
          return;
        case 'refused':
          return keeper.onRefused(message.reason);
        case 'fault':
          return keeper.diag('error', `collect: ${message.message}`);
        case 'closed':
          return onClosed();
        case 'not-open':
          return refuse(message.why);
        case 'open':
          return resolve({ httpPort: message.httpPort, grpcPort: message.grpcPort, close, died });
      }
    });
    void died.then((why) =>
      refuse({ what: `collect: the thread that receives cannot start (${why})`, fix: 'see what it says', exitCode: 1 }),
    );
  });
}

const said = (desk: Desk, { about }: Question): Promise<DeskState | string> =>
  about === 'state' ? desk.state() : desk.metricsText();

/** Never rejects: what goes wrong behind the desk is told here, and is no more than that to who waits. */
async function answer(
  { diag }: DoorKeeper,
  id: number,
  work: () => Promise<ExportResponse | DeskState | string>,
): Promise<Answer> {
  try {
    return { id, said: await work() };
  } catch (error) {
    if (error instanceof Rejected) return { id, refusal: error.reason as RefusalReason };
    diag('error', `collect: ${error instanceof Error ? error.message : String(error)}`);
    return { id, refusal: 'internal' };
  }
}

/** What is answered at once, as all that were written together are, goes over in one piece, and before anything else is done. */
class AnswersOfOneGo {
  readonly #send: (answers: Answers) => void;
  #taken: number[] = [];
  #others: Answer[] = [];

  constructor(send: (answers: Answers) => void) {
    this.#send = send;
  }

  give(given: Answer): void {
    if (this.#taken.length + this.#others.length === 0) queueMicrotask(() => this.#sendAll());
    if (isSimplyTaken(given)) this.#taken.push(given.id);
    else this.#others.push(given);
  }

  #sendAll(): void {
    this.#send({ type: 'answers', taken: Float64Array.from(this.#taken), others: this.#others });
    this.#taken = [];
    this.#others = [];
  }
}

function isSimplyTaken(given: Answer): boolean {
  return 'said' in given && typeof given.said === 'object' && 'rejected' in given.said && given.said.rejected === 0;
}
