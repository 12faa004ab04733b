import { setTimeout as delay } from 'node:timers/promises';
import { isObject, type JsonObject } from '../json.ts';
import type { MockChild } from './child.ts';
import { CONTROL_ANSWERS, type ControlAnswers, type ControlName } from './control-answers.ts';

/** How long the SDK waits for the process when its host lets go. */
const EXIT_WAIT_MS = 2_000;

/** What a prompt can be. */
export type Prompt = string | AsyncIterable<unknown>;

/** The SDK's `Query`, without its types: messages, the control requests of `CONTROL_ANSWERS`, and the ways to end it. */
export interface MockQuery
  extends AsyncGenerator<JsonObject, void>,
    Readonly<Record<ControlName, (...parameters: unknown[]) => Promise<unknown>>> {
  interrupt(): Promise<unknown>;
  streamInput(prompts: AsyncIterable<unknown>): Promise<void>;
  close(): void;
}

export interface MockQueryOptions {
  readonly child: MockChild;
  readonly options: JsonObject;
  readonly answers: ControlAnswers;
  /** Told of every control request and every way out. */
  readonly onCall: (name: string, parameters: readonly unknown[]) => void;
  readonly onPrompt: (prompt: unknown) => void;
}

/** A query on a running child; `give` hands it the prompt. */
export function mockQuery(options: MockQueryOptions): {
  readonly query: MockQuery;
  readonly give: (prompt: Prompt) => void;
} {
  const query = new LiveQuery(options);
  return { query: query as unknown as MockQuery, give: (prompt) => query.give(prompt) };
}

/** Built as the real one is: state is private to the object, and `for await` reads an iterator of its own. */
class LiveQuery {
  readonly #options: MockQueryOptions;
  readonly #messages: AsyncGenerator<JsonObject, void>;
  #isLetGo = false;

  constructor(options: MockQueryOptions) {
    this.#options = options;
    this.#messages = this.#read();
    const controls = Object.keys(CONTROL_ANSWERS).map((name) => [name, this.#control(name as ControlName)]);
    Object.assign(this, Object.fromEntries(controls));
    const controller = options.options['abortController'];
    const signal = isObject(controller) ? controller['signal'] : undefined;
    if (!(signal instanceof AbortSignal)) return;
    const abort = (): void => options.child.letGo('abort');
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }

  give(prompt: Prompt): void {
    const { child, onPrompt } = this.#options;
    if (typeof prompt !== 'string') {
      // An iterable that fails ends the input and fails the query.
      this.#pull(prompt)
        .catch((error: unknown) => child.queue.end(error as Error))
        .finally(() => child.endInput());
      return;
    }
    onPrompt(prompt);
    child.prompt();
    child.endInput();
  }

  next(): Promise<IteratorResult<JsonObject, void>> {
    return this.#messages.next();
  }

  async return(): Promise<IteratorResult<JsonObject, void>> {
    this.#options.onCall('return', []);
    await this.#leave();
    return this.#messages.return();
  }

  async throw(error: unknown): Promise<IteratorResult<JsonObject, void>> {
    this.#options.onCall('throw', [error]);
    await this.#leave();
    return this.#messages.throw(error);
  }

  close(): void {
    this.#options.onCall('close', []);
    void this.#leave();
  }

  async interrupt(...parameters: unknown[]): Promise<unknown> {
    this.#options.onCall('interrupt', parameters);
    this.#options.child.interrupt();
    return { still_queued: [] };
  }

  async streamInput(prompts: AsyncIterable<unknown>): Promise<void> {
    this.#options.onCall('streamInput', [prompts]);
    await this.#pull(prompts);
    this.#options.child.endInput();
  }

  [Symbol.asyncIterator](): AsyncGenerator<JsonObject, void> {
    return this.#messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.onCall('asyncDispose', []);
    await this.#leave();
  }

  async *#read(): AsyncGenerator<JsonObject, void> {
    try {
      yield* this.#options.child.queue.read();
    } finally {
      await this.#leave();
    }
  }

  /** As the SDK does: at once, all that there are, long before the child gets to them. */
  async #pull(prompts: AsyncIterable<unknown>): Promise<void> {
    for await (const prompt of prompts) {
      this.#options.onPrompt(prompt);
      if (this.#isLetGo) break;
      this.#options.child.prompt();
    }
  }

  async #leave(): Promise<void> {
    const { child } = this.#options;
    this.#isLetGo = true;
    child.letGo('leave');
    const patience = new AbortController();
    await Promise.race([
      child.ended,
      delay(EXIT_WAIT_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  #control(name: ControlName): (...parameters: unknown[]) => Promise<unknown> {
    return async (...parameters) => {
      this.#options.onCall(name, parameters);
      return name in this.#options.answers ? this.#options.answers[name] : CONTROL_ANSWERS[name];
    };
  }
}
