import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { isObject, type JsonObject } from '../json.ts';
import { OtlpCodec, type PartialSuccess, responseBody, type Signal } from './otlp-codec.ts';
import {
  type CollectedLog,
  type CollectedMetric,
  type CollectedSpan,
  readLogs,
  readMetrics,
  readSpans,
} from './telemetry-view.ts';

/** What the collector does with a request. */
export type CollectorBehaviour =
  | { readonly kind: 'accept'; readonly delayMs?: number }
  /** The connection is destroyed without an answer. */
  | { readonly kind: 'refuse' }
  /** No answer until the client goes away or the collector closes. */
  | { readonly kind: 'hang' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Accepted, with a partial success in the response. */
  | { readonly kind: 'partialSuccess'; readonly rejected: number; readonly message: string };

/** For which requests a behaviour holds: all of them unless narrowed. */
export interface BehaviourScope {
  /** It is over after this many requests. */
  readonly times?: number;
  readonly signal?: Signal;
  readonly when?: (request: CollectedRequest) => boolean;
}

/** One request to the collector. */
export interface CollectedRequest {
  readonly signal: Signal;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** The body as it came over the wire. */
  readonly raw: Buffer;
  /** The body without its compression. */
  readonly body: Buffer;
  /** The body in the shape of OTLP/JSON; absent if it could not be decoded. */
  readonly decoded?: JsonObject;
  /** Why it could not be decoded; such a request is answered with 400. */
  readonly error?: string;
  readonly behaviour: CollectorBehaviour;
  /** Whether it was answered with 200, in part or in full. */
  readonly isAccepted: boolean;
}

/** A running fake of an OTLP/HTTP backend. */
export interface Collector extends AsyncDisposable {
  /** Value for `OTEL_EXPORTER_OTLP_ENDPOINT`. Any path that ends in `/v1/traces`, `/v1/logs` or `/v1/metrics` is served. */
  readonly url: string;
  readonly port: number;
  /** Everything that arrived, whatever was made of it. */
  readonly requests: readonly CollectedRequest[];
  /** What accepted requests carried, in the order of arrival. */
  readonly spans: () => readonly CollectedSpan[];
  readonly logs: () => readonly CollectedLog[];
  readonly metrics: () => readonly CollectedMetric[];
  /**
   * Everything received, decompressed, also what was refused: paths, headers and bodies. To search for what must not leave.
   * `under`: at paths that begin so, where a stranger's client may still call a port that was its own backend's.
   */
  readonly bytes: (under?: string) => Buffer;
  /** Behaves so from now on; what was said last goes first. */
  readonly behave: (behaviour: CollectorBehaviour, scope?: BehaviourScope) => void;
  /** Accepts everything again. */
  readonly recover: () => void;
  /** Resolves once this holds: now, or after a request. Rejects on `close`. */
  readonly until: (holds: (collector: Collector) => boolean) => Promise<void>;
  /** Ends open requests and the server. */
  readonly close: () => Promise<void>;
}

export interface CollectorOptions {
  /** A free one unless given, as after an outage at the same address. */
  readonly port?: number;
}

/** Starts a collector on 127.0.0.1 that accepts protobuf and JSON, plain or gzip. */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const inbox = new Inbox();
  const server = createServer((incoming, response) => void inbox.serve(incoming, response));
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const accepted = (signal: Signal): readonly JsonObject[] =>
    inbox.requests.flatMap((request) =>
      request.isAccepted && request.signal === signal && request.decoded !== undefined ? [request.decoded] : [],
    );
  const close = async (): Promise<void> => {
    inbox.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const collector: Collector = {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: inbox.requests,
    spans: () => accepted('traces').flatMap(readSpans),
    logs: () => accepted('logs').flatMap(readLogs),
    metrics: () => accepted('metrics').flatMap(readMetrics),
    bytes: (under = '') => Buffer.concat(inbox.requests.filter(({ path }) => path.startsWith(under)).flatMap(received)),
    behave: (behaviour, scope = {}) => inbox.behave(behaviour, scope),
    recover: () => inbox.recover(),
    until: (holds) => inbox.until(() => holds(collector)),
    close,
    [Symbol.asyncDispose]: close,
  };
  return collector;
}

function received(request: CollectedRequest): readonly Buffer[] {
  const head = [request.path, ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`), ''];
  return [Buffer.from(head.join('\n')), request.body, Buffer.from('\n')];
}

interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Plan {
  readonly behaviour: CollectorBehaviour;
  readonly scope: BehaviourScope;
  left: number;
}

class Inbox {
  readonly requests: CollectedRequest[] = [];
  readonly #codec: OtlpCodec = new OtlpCodec();
  #plans: readonly Plan[] = [];
  #waiters: readonly Waiter[] = [];

  behave(behaviour: CollectorBehaviour, scope: BehaviourScope): void {
    this.#plans = [{ behaviour, scope, left: scope.times ?? Number.POSITIVE_INFINITY }, ...this.#plans];
  }

  recover(): void {
    this.#plans = [];
  }

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { holds, resolve, reject }];
    });
  }

  close(): void {
    for (const waiter of this.#waiters) waiter.reject(new Error('the collector was closed'));
    this.#waiters = [];
  }

  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = signalOf(incoming.url ?? '');
    if (signal === undefined || incoming.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const raw = await readBody(incoming);
    // The client went away while it was sending: nothing arrived.
    if (raw === undefined) return;
    const arrived = this.#read({ signal, incoming, raw });
    const behaviour = this.#next(arrived);
    const isOk = behaviour.kind === 'accept' || behaviour.kind === 'partialSuccess';
    const request = { ...arrived, behaviour, isAccepted: isOk && arrived.error === undefined };
    this.requests.push(request);
    this.#tell();
    if (behaviour.kind === 'accept' && behaviour.delayMs !== undefined) {
      setTimeout(() => this.#answer(request, response), behaviour.delayMs).unref();
    } else {
      this.#answer(request, response);
    }
  }

  #read(sent: { signal: Signal; incoming: IncomingMessage; raw: Buffer }): CollectedRequest {
    const { signal, incoming, raw } = sent;
    const headers = headersOf(incoming);
    const isJson = headers['content-type']?.startsWith('application/json') === true;
    const known = {
      signal,
      path: incoming.url ?? '',
      headers,
      protocol: isJson ? ('http/json' as const) : ('http/protobuf' as const),
      raw,
      behaviour: { kind: 'accept' as const },
      isAccepted: false,
    };
    let body = raw;
    try {
      body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      return { ...known, body, decoded: isJson ? parseObject(body) : this.#codec.decode(signal, body) };
    } catch (error) {
      return { ...known, body, error: error instanceof Error ? error.message : String(error) };
    }
  }

  #next(request: CollectedRequest): CollectorBehaviour {
    const plan = this.#plans.find(
      ({ scope, left }) =>
        left > 0 && (scope.signal ?? request.signal) === request.signal && scope.when?.(request) !== false,
    );
    if (plan === undefined) return { kind: 'accept' };
    plan.left -= 1;
    return plan.behaviour;
  }

  #answer(request: CollectedRequest, response: ServerResponse): void {
    const { behaviour } = request;
    if (behaviour.kind === 'hang') return;
    if (behaviour.kind === 'refuse') {
      response.destroy();
    } else if (behaviour.kind === 'status') {
      response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body);
    } else if (request.error !== undefined) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(request.error);
    } else {
      this.#acknowledge(request, response, behaviour.kind === 'partialSuccess' ? behaviour : undefined);
    }
  }

  #acknowledge(request: CollectedRequest, response: ServerResponse, partial: PartialSuccess | undefined): void {
    const { signal, protocol } = request;
    const isJson = protocol === 'http/json';
    response.writeHead(200, { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' });
    response.end(isJson ? JSON.stringify(responseBody(signal, partial)) : this.#codec.encodeResponse(signal, partial));
  }

  #tell(): void {
    const met = this.#waiters.filter((waiter) => waiter.holds());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve();
  }
}

function signalOf(url: string): Signal | undefined {
  const found = /\/v1\/(traces|logs|metrics)$/.exec(url.split('?')[0] ?? '');
  return found?.[1] as Signal | undefined;
}

function headersOf(incoming: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
}

function parseObject(body: Buffer): JsonObject {
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  if (!isObject(parsed)) throw new Error('the body is JSON but no object');
  return parsed;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}
