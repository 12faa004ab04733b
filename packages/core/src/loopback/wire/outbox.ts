import type { MessagePort } from 'node:worker_threads';
import type { PassedExchange, ToReader } from './wire-protocol.ts';

/** Milliseconds: nobody waits for what has passed as long as that. */
const GATHER_MS = 5;

/** Each message wakes the reader, and then the main thread: where much passes, several exchanges go in one. */
export class Outbox {
  readonly #reader: MessagePort;
  #exchanges: PassedExchange[] = [];
  #buffers: ArrayBuffer[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(reader: MessagePort) {
    this.#reader = reader;
  }

  add(exchange: PassedExchange, buffers: readonly ArrayBuffer[]): void {
    this.#exchanges.push(exchange);
    this.#buffers.push(...buffers);
    this.#timer ??= setTimeout(() => this.post(), GATHER_MS);
  }

  post(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#exchanges.length === 0) return;
    this.#reader.postMessage({ type: 'exchanges', exchanges: this.#exchanges } satisfies ToReader, this.#buffers);
    this.#exchanges = [];
    this.#buffers = [];
  }
}
