import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { contentTypeOf, decodeOrReject, encodingOf, refuse, send } from '../otlp/receive/exchange.ts';
import { type BodyLimits, readBody } from '../otlp/receive/read-body.ts';
import { Rejected } from '../otlp/receive/rejected.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../otlp/records.ts';
import { ChildSockets } from './child-sockets.ts';
import { REJECTIONS, type RejectReason } from './thread-protocol.ts';

/** Turns the body of an OTLP request into records, or what will be asked for them; throws `OtlpDecodeError` when it is not one. */
export type Decode<Decoded> = (signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array) => Decoded;

/** What was decoded from one request, with the bytes its unpacked body had. */
export interface Batch<Decoded = OtlpRequest> {
  readonly token: string;
  readonly request: Decoded;
  readonly bytes: number;
}

/** Whom the receiver asks and tells. */
export interface ReceiverHost<Decoded = OtlpRequest> {
  readonly limits: BodyLimits;
  readonly decode: Decode<Decoded>;
  isAdmitted(token: string): boolean;
  /** Whether so many decoded bytes wait already that no more may be taken. */
  isFull(): boolean;
  batch(batch: Batch<Decoded>): void;
  rejected(reason: RejectReason): void;
  /** The process that used this token has closed its last connection; all its batches came before. */
  gone(token: string): void;
}

/** A request whose path, method and token were found good. */
interface Admitted {
  readonly token: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Route {
  readonly method: string;
  readonly serve: <Decoded>(host: ReceiverHost<Decoded>, admitted: Admitted) => Promise<void>;
}

// Paths below `/<token>/`.
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['v1/traces', otlpRoute('traces')],
  ['v1/logs', otlpRoute('logs')],
  ['v1/metrics', otlpRoute('metrics')],
]);

/** The HTTP server of the loopback thread, not yet listening. It answers every request and throws nothing. */
export function createReceiver<Decoded>(host: ReceiverHost<Decoded>): Server {
  const children = new ChildSockets((token) => host.gone(token));
  // Not by `import`, which reads all that the module exports: its lazy `WebSocket` loads undici and HTTP/2, 35 ms on Node 24.
  const { createServer } = process.getBuiltinModule('node:http');
  // No keep-alive timeout: the close of an idle connection must mean that the child is gone.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 60_000, headersTimeout: 10_000 });
  // Whoever else is on this machine may knock, but not use up the descriptors of the program.
  server.maxConnections = 512;
  server.on('request', (request, response) => void answer(request, response));
  // An expectation we do not know is no reason to refuse; Node would answer 417 behind our back.
  server.on('checkExpectation', (request, response) => void answer(request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Of a sender that died in the middle, its request tells.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE') host.rejected('bad_http');
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    let leave: (() => void) | undefined;
    try {
      const { token, route } = findRoute(request, host);
      leave = children.enter(token, request.socket, response.shouldKeepAlive);
      await route.serve(host, { token, request, response });
    } catch (error) {
      const reason: RejectReason = error instanceof Rejected ? error.reason : 'internal';
      host.rejected(reason);
      // Who has shown no token of ours gets no second request on the same connection.
      if (leave === undefined) response.setHeader('Connection', 'close');
      if (reason === 'wrong_method') response.setHeader('Allow', 'POST');
      refuse(request, response, REJECTIONS[reason]);
    } finally {
      leave?.();
    }
  }
}

function findRoute(
  request: IncomingMessage,
  host: Pick<ReceiverHost, 'isAdmitted'>,
): { readonly token: string; readonly route: Route } {
  // A page in a browser can be made to resolve its own name to 127.0.0.1; its requests then carry that name.
  if (!isLoopbackHost(request)) throw new Rejected<RejectReason>('wrong_host');
  const [, token = '', path = ''] = /^\/([^/?]+)\/([^?]*)/.exec(request.url ?? '') ?? [];
  const route = ROUTES.get(path);
  if (route === undefined) throw new Rejected<RejectReason>('unknown_path');
  if (route.method !== request.method) throw new Rejected<RejectReason>('wrong_method');
  if (!host.isAdmitted(token)) throw new Rejected<RejectReason>('unknown_token');
  return { token, route };
}

function isLoopbackHost(request: IncomingMessage): boolean {
  const port = request.socket.localPort;
  const host = request.headers.host?.toLowerCase();
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

function otlpRoute(signal: OtlpSignal): Route {
  return {
    method: 'POST',
    serve: async (host, { token, request, response }) => {
      const encoding = encodingOf(request);
      if (encoding === undefined) throw new Rejected<RejectReason>('wrong_content_type');
      if (host.isFull()) throw new Rejected<RejectReason>('backlog');
      const body = await readBody(request, host.limits);
      const decoded = decodeOrReject(() => host.decode(signal, encoding, body));
      host.batch({ token, request: decoded, bytes: body.length });
      // An Export…ServiceResponse without a partial success: no bytes in protobuf, an empty object in JSON.
      send(response, { status: 200, contentType: contentTypeOf(encoding), body: encoding === 'json' ? '{}' : '' });
    },
  };
}
