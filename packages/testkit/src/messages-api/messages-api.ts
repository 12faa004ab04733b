import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callOf, type Exchange, type OpenExchange, type WireCall } from './exchange.ts';
import type { Reply } from './reply.ts';
import { type MessagesRequest, printRequest, readMessagesRequest } from './request.ts';
import { errorBody, respond, type ResponseLine, sendJson } from './respond.ts';
import type { Rule } from './rule.ts';

export interface MessagesApiOptions {
  /** The first rule that applies answers. */
  readonly rules: readonly Rule[];
  /** Part of the ids that the server mints (`msg_<name>_…`); `scripted` unless given. */
  readonly name?: string;
  /** What `count_tokens` answers; 10 unless given. */
  readonly countTokens?: (request: MessagesRequest) => number;
  /** The clock of `receivedAt` and `endedAt`. */
  readonly now?: () => number;
}

/** A running fake of the Messages API. With `await using` an unmatched request fails the test by itself. */
export interface MessagesApi extends AsyncDisposable {
  /** Value for `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  /** Everything that was asked, in the order of arrival. */
  readonly exchanges: readonly Exchange[];
  /** A print of every request that no rule answered. */
  readonly unmatched: readonly string[];
  /** The calls of `POST /v1/messages`, in the order of arrival. */
  readonly calls: () => readonly WireCall[];
  /** Throws with a print of every request that no rule answered. */
  readonly assertAllMatched: () => void;
  /** Resolves with the first exchange for which this holds: now, or as one arrives, is answered or ends. Rejects on `close`. */
  readonly waitFor: (holds: (exchange: Exchange) => boolean) => Promise<Exchange>;
  /** Ends all open responses and the server. */
  readonly close: () => Promise<void>;
}

/**
 * Starts a scripted Messages API on 127.0.0.1. It answers by the content of a request, never by call order;
 * a request that no rule expects is answered with 400 and kept in `unmatched`.
 */
export async function startMessagesApi(options: MessagesApiOptions): Promise<MessagesApi> {
  const script = new Script(options);
  const server = createServer((incoming, response) => void script.serve(incoming, response));
  // A keep-alive connection that the server ends first shows up in the client as a failed call.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    script.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges: script.exchanges,
    unmatched: script.unmatched,
    calls: () => script.exchanges.flatMap((exchange) => callOf(exchange) ?? []),
    assertAllMatched: () => script.assertAllMatched(),
    waitFor: (holds) => script.waitFor(holds),
    close,
    [Symbol.asyncDispose]: async () => {
      await close();
      script.assertAllMatched();
    },
  };
}

interface Waiter {
  readonly holds: (exchange: Exchange) => boolean;
  readonly resolve: (exchange: Exchange) => void;
  readonly reject: (error: Error) => void;
}

class Script {
  readonly exchanges: OpenExchange[] = [];
  readonly unmatched: string[] = [];
  readonly #options: MessagesApiOptions;
  readonly #now: () => number;
  readonly #used: Map<Rule, number> = new Map();
  readonly #minted: Map<string, number> = new Map();
  readonly #closing: AbortController = new AbortController();
  #waiters: readonly Waiter[] = [];

  constructor(options: MessagesApiOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on('close', () => left.abort());
    const gone = AbortSignal.any([left.signal, this.#closing.signal]);
    try {
      const request = await readRequest(incoming);
      await this.#answer(request, { response, gone });
    } catch (error) {
      // Leaving early is an ending like any other; everything else is a mistake of a rule and must be seen.
      if (!gone.aborted) this.#fail(response, error);
    }
  }

  assertAllMatched(): void {
    if (this.unmatched.length === 0) return;
    throw new Error(`${this.unmatched.length} request(s) that no rule answers:\n${this.unmatched.join('\n')}`);
  }

  waitFor(holds: (exchange: Exchange) => boolean): Promise<Exchange> {
    const present = this.exchanges.find(holds);
    if (present !== undefined) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { holds, resolve, reject }];
    });
  }

  close(): void {
    this.#closing.abort();
    for (const waiter of this.#waiters) waiter.reject(new Error('the scripted API was closed'));
    this.#waiters = [];
  }

  async #answer(request: MessagesRequest, { response, gone }: Pick<ResponseLine, 'response' | 'gone'>): Promise<void> {
    const found = this.#find(request);
    const label = found?.label ?? LABELS[request.path] ?? 'unmatched';
    const number = this.#mint(label);
    const reply = found?.reply;
    const exchange: OpenExchange = {
      request,
      requestId: reply?.requestId ?? `req_${number}`,
      model: (reply?.kind === 'answer' ? reply.model : undefined) ?? request.model,
      end: 'open',
      receivedAt: this.#now(),
      ...(reply?.kind === 'answer' ? { messageId: reply.messageId ?? `msg_${number}` } : {}),
      ...(found === undefined ? {} : { rule: found.rule.name }),
    };
    this.exchanges.push(exchange);
    const line = { response, gone, exchange, changed: () => this.#tell(exchange) };
    line.changed();
    try {
      await (reply === undefined ? this.#answerUnscripted(line) : respond(line, reply));
    } finally {
      if (exchange.end === 'open') exchange.end = this.#closing.signal.aborted ? 'serverClosed' : 'clientClosed';
      exchange.endedAt = this.#now();
      line.changed();
    }
  }

  #find(request: MessagesRequest): { readonly rule: Rule; readonly label: string; readonly reply: Reply } | undefined {
    if (request.method !== 'POST' || !request.path.startsWith('/v1/messages')) return undefined;
    for (const [index, rule] of this.#options.rules.entries()) {
      const nth = this.#used.get(rule) ?? 0;
      const reply = rule.applies(request) ? rule.replyTo(request, nth) : undefined;
      if (reply === undefined) continue;
      this.#used.set(rule, nth + 1);
      return { rule, reply, label: `r${index + 1}` };
    }
    return undefined;
  }

  /** Numbered per rule, so that agents that run side by side get the same ids in every run. */
  #mint(label: string): string {
    const number = (this.#minted.get(label) ?? 0) + 1;
    this.#minted.set(label, number);
    return `${this.#options.name ?? 'scripted'}_${label}_${String(number).padStart(3, '0')}`;
  }

  #answerUnscripted(line: ResponseLine): void {
    const { request } = line.exchange;
    if (request.path === '/api/hello') {
      line.exchange.status = 200;
      line.response.writeHead(200, { 'request-id': line.exchange.requestId }).end();
    } else if (request.purpose === 'countTokens') {
      sendJson(line, { status: 200, body: { input_tokens: this.#options.countTokens?.(request) ?? 10 } });
    } else {
      const print = printRequest(request);
      this.unmatched.push(print);
      const message = `The scripted API has no rule for this request:\n${print}`;
      sendJson(line, { status: 400, body: errorBody(line, { type: 'invalid_request_error', message }) });
      line.exchange.end = 'error';
      return;
    }
    line.exchange.end = 'complete';
  }

  #fail(response: ServerResponse, error: unknown): void {
    this.unmatched.push(`a rule threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (response.headersSent) response.destroy();
    else response.writeHead(400).end();
  }

  #tell(exchange: Exchange): void {
    const met = this.#waiters.filter((waiter) => waiter.holds(exchange));
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve(exchange);
  }
}

const LABELS: Readonly<Record<string, string>> = { '/api/hello': 'hello', '/v1/messages/count_tokens': 'count' };

async function readRequest(incoming: IncomingMessage): Promise<MessagesRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  return readMessagesRequest({
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks).toString('utf8'),
  });
}
