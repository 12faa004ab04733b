import type { MessagePort, Worker } from 'node:worker_threads';
import { RecentMap } from '../../model/bounded.ts';
import type { Loopback } from '../start-loopback.ts';
import { entryBeside } from '../thread-entry.ts';
import type { Upstream } from './upstream.ts';
import type { WireExchange } from './wire-exchange.ts';
import { type FromWire, type ToWire, type WireCounts, WireState, type WireStart } from './wire-protocol.ts';

export interface WireOptions {
  /** Who reads what has passed: the loopback thread, or `readHere`. */
  readonly reader: Pick<Loopback, 'readWire'>;
  /** How long `baseUrl()` may block in all for the port. Default 200. */
  readonly waitMs?: number;
  /** The entry of the thread; default: the file beside this one. */
  readonly entry?: URL;
  readonly onFailure?: (failure: WireFailure) => void;
  /** Told what a client's callback threw. */
  readonly onError?: (error: unknown) => void;
}

/** `thread_died`: from then on the main thread forwards, and nothing is captured. `port_lost`: it could not. */
export interface WireFailure {
  readonly code: 'entry_missing' | 'thread_refused' | 'listen_failed' | 'thread_died' | 'port_lost';
  readonly message: string;
}

export interface WireClient {
  readonly upstream: Upstream;
  /** In the order in which they ended. */
  exchange(exchange: WireExchange): void;
}

export interface WireRoute {
  /** For the child's `ANTHROPIC_BASE_URL`; undefined while nothing listens, or when nothing would be captured. */
  baseUrl(): string | undefined;
  /** `host:port` that proxies must leave alone. */
  authority(): string | undefined;
  /** Nothing more is captured; what the child still asks gets through. */
  release(): void;
}

export interface WireStats extends WireCounts {
  /** `piping`: the main thread forwards, nothing is captured. */
  readonly state: 'starting' | 'listening' | 'piping' | 'failed' | 'closed';
  readonly failure?: WireFailure;
  readonly routes: number;
  /** Exchanges that were handed out, and those whose route had been released before. */
  readonly captured: number;
  readonly late: number;
  readonly waitingBytes: number;
}

/** The main thread's end of the pass-through. It never keeps the process alive, and nothing of it throws. */
export interface Wire {
  /** Settles when it listens or it is clear that it will not; never rejects. */
  ready(): Promise<void>;
  register(client: WireClient): WireRoute;
  stats(): WireStats;
  /** Ends the thread, which closes its connections; with `keepsPassing` it goes on forwarding, unseen, for children that still run. */
  close(keepsPassing?: boolean): Promise<void>;
}

/** Starts the pass-through's thread. Returns at once; a failure shows in `stats()`. */
export function startWire(options: WireOptions): Wire {
  return new WireThread(options);
}

/** Of children that were let go of. */
const MOST_UPSTREAMS = 256;

const builtin = process.getBuiltinModule;

class WireThread implements Wire {
  readonly #options: WireOptions;
  readonly #state = new WireState();
  readonly #channel: MessagePort;
  readonly #worker: Worker | undefined;
  readonly #routes: Map<string, WireClient> = new Map();
  readonly #upstreams: RecentMap<Upstream> = new RecentMap(MOST_UPSTREAMS);
  readonly #settled: Promise<void>;
  #settle: () => void = () => undefined;
  #phase: WireStats['state'] = 'starting';
  #failure: WireFailure | undefined;
  #pipe: Promise<{ close(): unknown } | undefined> | undefined;
  #waitLeftMs: number;
  #captured = 0;
  #late = 0;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#waitLeftMs = options.waitMs ?? 200;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { MessageChannel } = builtin('node:worker_threads');
    const own = new MessageChannel();
    const reading = new MessageChannel();
    this.#channel = own.port2;
    options.reader.readWire({ port: reading.port2, shared: this.#state.buffer }, (exchange) => this.#take(exchange));
    this.#worker = this.#start({ shared: this.#state.buffer, port: own.port1, readerPort: reading.port1 });
    this.#channel.on('message', (message: FromWire) => this.#heard(message));
    this.#channel.unref();
    this.#worker?.unref();
  }

  async ready(): Promise<void> {
    if (this.#phase !== 'starting') return;
    // Without this a program that does nothing but await us would end in the middle of it.
    this.#worker?.ref();
    this.#channel.ref();
    await this.#settled;
    this.#worker?.unref();
    this.#channel.unref();
  }

  register(client: WireClient): WireRoute {
    const token = Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(16))).toString('hex');
    this.#routes.set(token, client);
    this.#upstreams.set(token, client.upstream);
    this.#order({ type: 'admit', token, upstream: client.upstream });
    return {
      baseUrl: () => {
        const port = this.#port();
        return port === undefined ? undefined : `http://127.0.0.1:${port}/${token}`;
      },
      authority: () => {
        const port = this.#port();
        return port === undefined ? undefined : `127.0.0.1:${port}`;
      },
      release: () => {
        if (this.#routes.delete(token)) this.#order({ type: 'release', token });
      },
    };
  }

  stats(): WireStats {
    const isUp = this.#phase === 'starting' && this.#state.port !== undefined;
    return {
      state: isUp ? 'listening' : this.#phase,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      routes: this.#routes.size,
      captured: this.#captured,
      late: this.#late,
      waitingBytes: this.#state.waitingBytes,
      ...this.#state.counts(),
    };
  }

  async close(keepsPassing = false): Promise<void> {
    this.#phase = 'closed';
    if (!keepsPassing) {
      await this.#worker?.terminate();
      (await this.#pipe)?.close();
      this.#channel.close();
    }
    this.#routes.clear();
    this.#settle();
  }

  #port(): number | undefined {
    if (this.#phase === 'starting' && this.#state.port === undefined && this.#waitLeftMs > 0) {
      const before = performance.now();
      this.#guard(() => this.#state.waitForPort(this.#waitLeftMs));
      this.#waitLeftMs -= performance.now() - before;
    }
    return this.#phase === 'starting' || this.#phase === 'listening' ? this.#state.port : undefined;
  }

  #start(workerData: WireStart): Worker | undefined {
    try {
      const entry = this.#options.entry ?? entryBeside(import.meta.url, 'wire-thread');
      if (entry === undefined || (entry.protocol === 'file:' && !builtin('node:fs').existsSync(entry))) {
        this.#fail({
          code: 'entry_missing',
          message: `the pass-through's file is not there: ${entry?.href ?? 'no import.meta.url'}`,
        });
        return undefined;
      }
      const worker = new (builtin('node:worker_threads').Worker)(entry, {
        name: 'spanprism-wire',
        workerData,
        transferList: [workerData.port, workerData.readerPort],
        execArgv: [],
        env: {},
      });
      worker.on('error', (error) => this.#died(String(error)));
      worker.on('exit', (code) => this.#died(`the pass-through's thread has exited with code ${code}`));
      return worker;
    } catch (error) {
      this.#fail({ code: 'thread_refused', message: String(error) });
      return undefined;
    }
  }

  #heard(message: FromWire): void {
    if (message.type === 'listen-failed') return this.#fail({ code: 'listen_failed', message: message.message });
    if (this.#phase === 'starting') this.#phase = 'listening';
    this.#settle();
  }

  /** Children know this port and no other: whoever dies on it, they must still get through. */
  #died(message: string): void {
    if (this.#pipe !== undefined || this.#phase === 'failed' || this.#phase === 'closed') return;
    const { port } = this.#state;
    this.#fail({ code: 'thread_died', message });
    if (port === undefined) return;
    this.#phase = 'piping';
    this.#pipe = import('./main-pipe.ts')
      .then(({ openPipe }) =>
        openPipe({
          port,
          state: this.#state,
          upstreamOf: (token) => this.#routes.get(token)?.upstream ?? this.#upstreams.get(token),
        }),
      )
      .catch((error: unknown) => {
        this.#phase = 'listening';
        this.#fail({ code: 'port_lost', message: String(error) });
        return undefined;
      });
  }

  #fail(failure: WireFailure): void {
    if (this.#phase === 'failed' || this.#phase === 'closed') return;
    this.#phase = 'failed';
    this.#failure = failure;
    if (this.#state.port === undefined) this.#state.publishPort(undefined);
    this.#settle();
    this.#guard(() => this.#options.onFailure?.(failure));
  }

  #order(order: ToWire): void {
    this.#channel.postMessage(order);
  }

  #take(exchange: WireExchange): void {
    const client = this.#routes.get(exchange.token);
    if (client === undefined) {
      this.#late += 1;
      return;
    }
    this.#captured += 1;
    this.#guard(() => client.exchange(exchange));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError?.(error);
    }
  }
}
