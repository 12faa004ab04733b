import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

/** What came of one request. */
export interface Exchange {
  /** Without user and query. */
  readonly url: URL;
  /** Absent when there was no answer. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the network, when there was no answer: `ECONNREFUSED`. */
  readonly errorCode?: string;
}

/** Traces are posted; what answers with a page is a user interface, or the sign-in of a network. */
export function isPage({ headers }: Exchange): boolean {
  return (headers['content-type'] ?? '').startsWith('text/html');
}

/** Where somebody listens to what becomes of requests that are made within `run`. */
export interface HttpWatch extends Disposable {
  run<T>(told: (exchange: Exchange) => void, run: () => T): T;
}

/**
 * Tells what becomes of requests over `node:http`, by Node's own channels: sinks say it in words, and words are no codes. Whose
 * request it was is known by the asynchronous context in which it was made.
 */
export function watchHttp(): HttpWatch {
  const storage = new AsyncLocalStorage<(exchange: Exchange) => void>();
  const listeners: readonly (readonly [string, (message: unknown) => void])[] = [
    ['http.client.response.finish', (message) => storage.getStore()?.(answered(message as Answered))],
    ['http.client.request.error', (message) => storage.getStore()?.(failed(message as Failed))],
  ];
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return {
    run: (told, run) => storage.run(told, run),
    [Symbol.dispose]: () => {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener);
    },
  };
}

interface Answered {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

interface Failed {
  readonly request: ClientRequest;
  readonly error: Error & { readonly code?: unknown };
}

function answered({ request, response }: Answered): Exchange {
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
  return { url: urlOf(request), status: response.statusCode ?? 0, headers: Object.fromEntries(headers) };
}

function failed({ request, error }: Failed): Exchange {
  return { url: urlOf(request), headers: {}, errorCode: typeof error.code === 'string' ? error.code : error.name };
}

function urlOf(request: ClientRequest): URL {
  const url = new URL(`${request.protocol}//${String(request.getHeader('host') ?? request.host)}`);
  url.pathname = request.path.replace(/\?.*$/s, '');
  return url;
}
