import type { MessagePort, Worker } from 'node:worker_threads';
import type { OtlpRequest, OtlpSignal } from '../otlp/records.ts';
import { entryBeside } from './thread-entry.ts';
import {
  type ReadWire,
  type RejectReason,
  SharedState,
  type ThreadStart,
  type ToMain,
  type ToThread,
} from './thread-protocol.ts';
import type { WireExchange } from './wire/wire-exchange.ts';

export interface LoopbackOptions {
  /** How long `port()` may block in all, over the life of the thread. Default 200. */
  readonly waitMs?: number;
  /** The entry of the thread; default: the file beside this one. */
  readonly entry?: URL;
  /** Told once when the thread cannot start (perhaps before `startLoopback` has returned) or has died. */
  readonly onFailure?: (failure: LoopbackFailure) => void;
  /** Told what a client's callback threw. */
  readonly onError?: (error: unknown) => void;
}

/** Why there is no loopback: its file is not there (a bundle), the runtime refuses threads, it cannot listen, or it died. */
export interface LoopbackFailure {
  readonly code: 'entry_missing' | 'thread_refused' | 'listen_failed' | 'thread_died';
  readonly message: string;
}

/** One query, as the loopback sees it. */
export interface LoopbackClient {
  batch(request: OtlpRequest): void;
  /**
   * The child process has closed its last connection; all its batches came before. Never called for a child that exported nothing.
   * A child that connects again later is reported again.
   */
  childGone?(): void;
}

export interface LoopbackRoute {
  /** Batches delivered so far. A signal that stays at 0 is one that the child does not send to us. */
  readonly received: Readonly<Record<OtlpSignal, number>>;
  /** The full endpoint of one signal, for the child's `OTEL_EXPORTER_OTLP_<SIGNAL>_ENDPOINT`; undefined while there is no port. */
  endpoint(signal: OtlpSignal): string | undefined;
  /** Nothing is taken for this route from now on. */
  release(): void;
}

export interface LoopbackStats {
  readonly state: 'starting' | 'listening' | 'failed' | 'closed';
  readonly failure?: LoopbackFailure;
  readonly routes: number;
  readonly received: Readonly<Record<OtlpSignal, number>>;
  readonly receivedBytes: number;
  /** Batches that were decoded but came when their route was already released. */
  readonly late: number;
  readonly backlogBytes: number;
  readonly rejected: Readonly<Record<RejectReason, number>>;
}

/** The main thread's end of the loopback thread. It never keeps the process alive, and nothing of it throws. */
export interface Loopback {
  /** The port on 127.0.0.1. Blocks until it is known, within what is left of `waitMs`; undefined when it is not known by then, or never will be. */
  port(): number | undefined;
  /** Settles when the port is known or it is clear that there will be none; never rejects. */
  ready(): Promise<void>;
  register(client: LoopbackClient): LoopbackRoute;
  /** Has this thread read what passes on the wire; `take` is told what it says. Its order among batches is that of their arrival. */
  readWire(passed: Omit<ReadWire, 'type'>, take: (exchange: WireExchange) => void): void;
  /** Hands out, now, all that the thread has decoded. Works in `process.on('exit')` too. */
  drainSync(): void;
  stats(): LoopbackStats;
  /** Ends the thread, which closes its connections and frees the port, and hands out what it had decoded. */
  close(): Promise<void>;
}

/** Starts the loopback thread. Returns at once; a failure shows in `stats()`. */
export function startLoopback(options: LoopbackOptions = {}): Loopback {
  return new LoopbackThread(options);
}

class LoopbackThread implements Loopback {
  readonly #options: LoopbackOptions;
  readonly #shared = new SharedState();
  readonly #channel: MessagePort;
  readonly #worker: Worker | undefined;
  readonly #routes = new Map<
    string,
    { readonly client: LoopbackClient; readonly received: Record<OtlpSignal, number> }
  >();
  readonly #received: Record<OtlpSignal, number> = noBatches();
  readonly #settled: Promise<void>;
  #settle: () => void = () => undefined;
  #state: LoopbackStats['state'] = 'starting';
  #failure: LoopbackFailure | undefined;
  #closed: Promise<void> | undefined;
  #takeExchange: (exchange: WireExchange) => void = () => undefined;
  #waitLeftMs: number;
  #receivedBytes = 0;
  #late = 0;

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.#waitLeftMs = options.waitMs ?? 200;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { MessageChannel } = builtin('node:worker_threads');
    const { port1, port2 } = new MessageChannel();
    this.#channel = port2;
    this.#worker = this.#start(port1);
    this.#channel.on('message', (message: ToMain) => this.#take(message));
    this.#channel.unref();
    this.#worker?.unref();
  }

  port(): number | undefined {
    if (this.#state === 'starting' && this.#shared.port === undefined && this.#waitLeftMs > 0) {
      const before = performance.now();
      // Where a thread may not block (an Electron renderer), this throws: then the port is simply not known yet.
      this.#guard(() => this.#shared.waitForPort(this.#waitLeftMs));
      this.#waitLeftMs -= performance.now() - before;
    }
    return this.#state === 'failed' || this.#state === 'closed' ? undefined : this.#shared.port;
  }

  async ready(): Promise<void> {
    if (this.#state !== 'starting') return;
    // Without this a program that does nothing but await us would end in the middle of it.
    this.#worker?.ref();
    this.#channel.ref();
    await this.#settled;
    this.#worker?.unref();
    this.#channel.unref();
  }

  register(client: LoopbackClient): LoopbackRoute {
    const token = Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(16))).toString('hex');
    const route = { client, received: noBatches() };
    this.#routes.set(token, route);
    this.#order({ type: 'admit', token });
    return {
      received: route.received,
      endpoint: (signal) => {
        const port = this.port();
        return port === undefined ? undefined : `http://127.0.0.1:${port}/${token}/v1/${signal}`;
      },
      release: () => {
        if (this.#routes.delete(token)) this.#order({ type: 'release', token });
      },
    };
  }

  readWire({ port, shared }: Omit<ReadWire, 'type'>, take: (exchange: WireExchange) => void): void {
    this.#takeExchange = take;
    this.#channel.postMessage({ type: 'read-wire', port, shared } satisfies ToThread, [port]);
  }

  drainSync(): void {
    const { receiveMessageOnPort } = builtin('node:worker_threads');
    for (
      let next = receiveMessageOnPort(this.#channel);
      next !== undefined;
      next = receiveMessageOnPort(this.#channel)
    ) {
      this.#take(next.message as ToMain);
    }
  }

  stats(): LoopbackStats {
    return {
      state: this.#state === 'starting' && this.#shared.port !== undefined ? 'listening' : this.#state,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      routes: this.#routes.size,
      received: { ...this.#received },
      receivedBytes: this.#receivedBytes,
      late: this.#late,
      backlogBytes: this.#shared.backlogBytes,
      rejected: this.#shared.rejections(),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#state = 'closed';
    await this.#worker?.terminate();
    this.drainSync();
    this.#channel.close();
    this.#routes.clear();
    this.#settle();
  }

  #start(port: MessagePort): Worker | undefined {
    try {
      const entry = this.#options.entry ?? entryBeside(import.meta.url, 'loopback-thread');
      // Asked here because the thread would report it only after a blocking wait, and then as an error of the loader.
      if (entry === undefined || (entry.protocol === 'file:' && !builtin('node:fs').existsSync(entry))) {
        this.#fail({
          code: 'entry_missing',
          message: `the loopback thread's file is not there: ${entry?.href ?? 'no import.meta.url'}`,
        });
        return undefined;
      }
      const workerData: ThreadStart = { shared: this.#shared.buffer, port };
      // The application's flags and preloads have no business in this thread, and double its start.
      const worker = new (builtin('node:worker_threads').Worker)(entry, {
        name: 'spanprism-loopback',
        workerData,
        transferList: [port],
        execArgv: [],
        env: {},
      });
      worker.on('error', (error) => this.#fail({ code: 'thread_died', message: String(error) }));
      worker.on('exit', (code) =>
        this.#fail({ code: 'thread_died', message: `the loopback thread has exited with code ${code}` }),
      );
      return worker;
    } catch (error) {
      this.#fail({ code: 'thread_refused', message: String(error) });
      return undefined;
    }
  }

  #fail(failure: LoopbackFailure): void {
    if (this.#state === 'failed' || this.#state === 'closed') return;
    this.#state = 'failed';
    this.#failure = failure;
    this.#shared.publishPort(undefined);
    this.#settle();
    this.#guard(() => this.#options.onFailure?.(failure));
  }

  #order(order: ToThread): void {
    this.#channel.postMessage(order);
  }

  #take(message: ToMain): void {
    switch (message.type) {
      case 'listening':
        if (this.#state === 'starting') this.#state = 'listening';
        return this.#settle();
      case 'listen-failed':
        return this.#fail({ code: 'listen_failed', message: message.message });
      case 'batch':
        return this.#deliver(message);
      case 'exchanges':
        this.#shared.removeBacklog(message.bytes);
        for (const exchange of message.exchanges) this.#guard(() => this.#takeExchange(exchange));
        return;
      case 'gone':
        return this.#guard(() => this.#routes.get(message.token)?.client.childGone?.());
    }
  }

  #deliver({ token, request, bytes }: Extract<ToMain, { type: 'batch' }>): void {
    this.#shared.removeBacklog(bytes);
    const route = this.#routes.get(token);
    if (route === undefined) {
      this.#late += 1;
      return;
    }
    this.#received[request.signal] += 1;
    this.#receivedBytes += bytes;
    route.received[request.signal] += 1;
    this.#guard(() => route.client.batch(request));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError?.(error);
    }
  }
}

/**
 * Modules that only a program which really traces needs. An import statement would load them for everybody who imports this
 * package, which costs a third of the time that the import may take.
 */
const builtin = process.getBuiltinModule;

function noBatches(): Record<OtlpSignal, number> {
  return { traces: 0, logs: 0, metrics: 0 };
}
