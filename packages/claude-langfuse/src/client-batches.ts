import { setTimeout as delay } from 'node:timers/promises';
import type { SinkStats } from '@spanprism/core';
import { Losses } from '@spanprism/core/live';

/** What of a `langfuse` 3.x client is needed. */
export interface LangfuseClient {
  trace(body: object): unknown;
  span(body: object): unknown;
  generation(body: object): unknown;
  flushAsync(): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): () => void;
}

/** Follows our observations through the client, which tells what became of batches in events alone: no promise of it fails. */
export class ClientBatches {
  isClosed = false;
  readonly #client: LangfuseClient;
  readonly #complain: (message: string) => void;
  readonly #unsubscribe: readonly (() => void)[];
  /** Given to the client, by id; `true` once it has taken it into its queue. */
  readonly #open = new Map<unknown, boolean>();
  readonly #losses = new Losses();
  #delivered = 0;
  #batchesEnded = 0;
  #failure: Error | undefined;
  #isFailing = false;
  readonly #waiting: (() => void)[] = [];

  constructor(client: LangfuseClient, complain: (message: string) => void) {
    this.#client = client;
    this.#complain = complain;
    const take = (body: unknown): void => {
      const id = read(body, 'id');
      if (this.#open.has(id)) this.#open.set(id, true);
    };
    this.#unsubscribe = [
      client.on('span-create', take),
      client.on('generation-create', take),
      // Right before the end of its batch; other warnings are texts.
      client.on('warning', (warning) => void (warning instanceof Error && (this.#failure = warning))),
      client.on('flush', (items) => this.#settle(Array.isArray(items) ? items : [])),
    ];
  }

  accept(id: string): boolean {
    if (this.isClosed) this.#drop('closed', [id]);
    else this.#open.set(id, false);
    return !this.isClosed;
  }

  async flush(deadlineMs: number): Promise<void> {
    await Promise.race([this.#drain(), delay(deadlineMs, undefined, { ref: false })]);
    const missing = this.#losses.take() + this.#open.size;
    const isTold = this.#open.size === 0 || this.#isFailing;
    const message = `${missing} observations were not delivered within ${deadlineMs} ms`;
    if (missing > 0) throw Object.assign(new Error(message), { isTold });
  }

  async close(deadlineMs: number): Promise<void> {
    this.isClosed = true;
    await this.flush(deadlineMs).finally(() => {
      for (const off of this.#unsubscribe) off();
      this.#drop('undelivered', [...this.#open.keys()]);
    });
  }

  stats(): SinkStats {
    return { delivered: this.#delivered, queued: this.#open.size, dropped: Object.fromEntries(this.#losses.byReason) };
  }

  async #drain(): Promise<void> {
    // One call sends one batch, and none when nothing is left.
    for (let before = -1; before !== this.#batchesEnded; ) {
      before = this.#batchesEnded;
      await this.#client.flushAsync();
    }
    // What it has not taken by now is left out by its sampling, or it is disabled.
    const refused = [...this.#open].flatMap(([id, isTaken]) => (isTaken ? [] : [id]));
    this.#drop('not_taken_by_client', refused);
    while (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #settle(items: readonly unknown[]): void {
    const failure = this.#failure;
    const ours = items.map((item) => read(read(item, 'body'), 'id')).filter((id) => this.#open.delete(id));
    this.#batchesEnded += 1;
    this.#failure = undefined;
    if (ours.length > 0) this.#isFailing = failure !== undefined;
    if (failure === undefined) this.#delivered += ours.length;
    else if (ours.length > 0) {
      const [reason, cause] = causeOf(failure);
      this.#losses.add(reason, ours.length, () =>
        this.#complain(`${ours.length} observations were not delivered: ${cause}`),
      );
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #drop(reason: string, ids: readonly unknown[]): void {
    for (const id of ids) this.#open.delete(id);
    this.#losses.add(reason, ids.length);
  }
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** A code alone: the client's words quote the server, which may quote what it was sent. */
function causeOf(failure: Error): readonly [reason: string, cause: string] {
  const status = read(read(failure, 'response'), 'status');
  if (status === undefined) return ['network_error', 'no answer. Is its baseUrl right, and Langfuse there?'];
  const keys = ' Check the keys of the client: of one project, in the region of its baseUrl.';
  const fix = status === 413 ? ' Capture less, or cut texts shorter: maxTextBytes of capture.' : '';
  return [`http_${String(status)}`, `HTTP ${String(status)}.${status === 401 || status === 403 ? keys : fix}`];
}
