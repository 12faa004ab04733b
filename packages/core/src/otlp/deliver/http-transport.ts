import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

export interface TransportRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** The one seam to the network: posts, and settles with the answer or the network's error. */
export interface Transport {
  post(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}

/** Enough for any error text or partial success; the rest of a larger answer is read and thrown away. */
const MAX_ANSWER_BYTES = 64 * 1024;

const STALE_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Posts through `node:http` and `node:https` with sockets kept alive, and no socket ever keeps the process alive.
 * Not through the global `fetch`: hosts replace it, and would trace or mock our traffic.
 */
export function httpTransport(maxSockets: number): Transport {
  let agent: Agent | undefined;
  return {
    post: (request) =>
      new Promise((resolve, reject) => {
        // Loaded on first use: TLS would cost every importer milliseconds.
        const client = process.getBuiltinModule(request.url.protocol === 'https:' ? 'node:https' : 'node:http');
        agent ??= new client.Agent({ keepAlive: true, maxSockets });
        // Always a Content-Length, as some intakes refuse chunked bodies.
        const headers: OutgoingHttpHeaders = { ...request.headers, 'content-length': request.body.byteLength };
        exchange(
          () => client.request(withoutUser(request.url), { method: 'POST', agent, headers, signal: request.signal }),
          request,
          {
            resolve,
            reject,
          },
        );
      }),
    close: () => agent?.destroy(),
  };
}

interface Settle {
  readonly resolve: (response: TransportResponse) => void;
  readonly reject: (error: unknown) => void;
}

function exchange(open: () => ClientRequest, request: TransportRequest, settle: Settle): void {
  const outgoing = open();
  let isAnswered = false;
  outgoing.on('socket', (socket) => socket.unref());
  outgoing.on('response', (incoming) => {
    isAnswered = true;
    readAnswer(incoming, settle.resolve);
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    // The server closed an idle socket just as we wrote to it: nobody has read the request, so it may go again at once.
    // Every such failure removes a socket from the pool, so this ends.
    const isUnread = outgoing.reusedSocket && !isAnswered;
    const isStale = isUnread && STALE_CODES.has(error.code) && !request.signal.aborted;
    if (isStale) exchange(open, request, settle);
    else settle.reject(error);
  });
  outgoing.end(request.body);
}

function readAnswer(incoming: IncomingMessage, resolve: Settle['resolve']): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    if (bytes < MAX_ANSWER_BYTES) chunks.push(chunk);
    bytes += chunk.byteLength;
  });
  // A cut body does not matter once the status is known; 'close' follows.
  incoming.on('error', () => undefined);
  incoming.on('close', () => {
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(incoming.headers))
      headers[name] = Array.isArray(value) ? value.join(', ') : value;
    resolve({ status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES) });
  });
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}
