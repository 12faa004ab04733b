import { setTimeout as delay } from 'node:timers/promises';
import type { SinkStats } from '@spanprism/core';

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
  readonly #dropped: Record<string, number> = {};
  #delivered = 0;
  /** How many have ended, whosever. */
  #batches = 0;
  #failure: Error | undefined;
  #lost = 0;

  constructor(client: LangfuseClient, complain: (message: string) => void) {
    this.#client = client;
    this.#complain = complain;
    const take = (body: unknown): void => void (this.#open.has(idOf(body)) && this.#open.set(idOf(body), true));
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
    const done = new AbortController();
    const late = delay(deadlineMs, undefined, { signal: done.signal }).catch(() => undefined);
    await Promise.race([this.#drain(), late]);
    done.abort();
    const missing = this.#lost + this.#open.size;
    this.#lost = 0;
    if (missing > 0) throw new Error(`${missing} observations were not delivered within ${deadlineMs} ms`);
  }

  async close(deadlineMs: number): Promise<void> {
    this.isClosed = true;
    try {
      await this.flush(deadlineMs);
    } finally {
      for (const off of this.#unsubscribe) off();
      this.#drop('undelivered', [...this.#open.keys()]);
    }
  }

  stats(): SinkStats {
    return { delivered: this.#delivered, queued: this.#open.size, dropped: { ...this.#dropped } };
  }

  async #drain(): Promise<void> {
    // One call sends one batch, and none when nothing is left.
    for (let before = -1; before !== this.#batches && this.#open.size > 0; ) {
      before = this.#batches;
      await this.#client.flushAsync();
    }
    // What it has not taken by now is left out by its sampling, or it is disabled.
    const left = [...this.#open.keys()];
    this.#drop(
      'not_taken_by_client',
      left.filter((id) => this.#open.get(id) === false),
    );
    while (this.#open.size > 0) await batchEnd(this.#client);
  }

  #settle(items: readonly unknown[]): void {
    const ours = items.map((item) => idOf(read(item, 'body'))).filter((id) => this.#open.has(id));
    this.#batches += 1;
    if (this.#failure === undefined) {
      this.#delivered += ours.length;
    } else if (ours.length > 0) {
      this.#lost += ours.length;
      this.#complain(`${ours.length} observations were not delivered: ${causeOf(this.#failure)}`);
    }
    this.#drop(this.#failure && 'undelivered', ours);
    this.#failure = undefined;
  }

  #drop(reason: string | undefined, ids: readonly unknown[]): void {
    for (const id of ids) this.#open.delete(id);
    if (reason !== undefined && ids.length > 0) this.#dropped[reason] = (this.#dropped[reason] ?? 0) + ids.length;
  }
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

const idOf = (body: unknown): unknown => read(body, 'id');

function batchEnd(client: LangfuseClient): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on('flush', () => {
      off();
      resolve();
    });
  });
}

/** A code alone: the client's words quote the server, which may quote what it was sent. */
function causeOf(failure: Error): string {
  const status = read(read(failure, 'response'), 'status');
  if (status === undefined) return 'the network failed. Is the baseUrl of the client right, and Langfuse there?';
  const isKey = status === 401 || status === 403;
  return `HTTP ${String(status)}.${isKey ? ' Check the keys of the client: of one project, in the region of its baseUrl.' : ''}`;
}
