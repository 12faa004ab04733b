import http, { type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { OtlpSignal } from '@spanprism/core/otlp';
import { contentTypeOf, encodeExportResponse, encodingOf, refuse, Rejected, send } from '@spanprism/core/receive';
import type { BodyRoom } from './body-room.ts';
import { type ConnectionLimits, Connections, type Door, type Patience } from './connections.ts';
import type { Desk, DeskState } from './desk.ts';
import type { TlsFiles } from './door-settings.ts';
import { isForLater, REFUSALS, type RefusalReason, RETRY_AFTER_SECONDS } from './refusals.ts';

export interface HttpParts {
  readonly desk: Desk;
  readonly onRefused: (reason: RefusalReason) => void;
  readonly bodies: BodyRoom;
  readonly connections: ConnectionLimits;
  readonly tls: TlsFiles | undefined;
  readonly isAuthorized: (authorization: string | undefined) => boolean;
  /** Refuses what was sent to another name than this machine's own: a page in a browser can have its name lead here. */
  readonly isLoopbackOnly: boolean;
  readonly onFault: (error: unknown) => void;
}

interface Route {
  readonly methods: readonly string[];
  readonly isOpen?: boolean;
  readonly serve: (parts: HttpParts, exchange: Exchange) => Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const ASK = ['GET', 'HEAD'];

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/v1/traces', otlpRoute('traces')],
  ['/v1/logs', otlpRoute('logs')],
  ['/v1/metrics', otlpRoute('metrics')],
  ['/healthz', { methods: ASK, isOpen: true, serve: state(({ trouble }) => trouble) }],
  ['/readyz', { methods: ASK, isOpen: true, serve: state(({ notReady, trouble }) => notReady ?? trouble) }],
  [
    '/metrics',
    {
      methods: ASK,
      serve: async ({ desk }, { response }) => {
        const body = await desk.metricsText();
        send(response, { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body });
      },
    },
  ],
]);

/** A connection that waits for its next request outlasts the minute in which a proxy or an exporter uses it again. */
const KEEP_ALIVE_MS = 65_000;

function timesOf({ headMs, requestMs }: Patience): ServerOptions {
  return {
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: headMs / 2,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
}

/** The OTLP/HTTP receiver, with the endpoints for who watches over it. It answers every request and throws nothing. */
export function createHttpServer(parts: HttpParts): Door {
  const times = timesOf(parts.connections.patience);
  const server = parts.tls === undefined ? http.createServer(times) : https.createServer({ ...times, ...parts.tls });
  // Who has no more to send still waits for his answer; Node would hang up on him, also when his request is on disk already.
  Object.assign(server, { httpAllowHalfOpen: true });
  const connections = new Connections(server, parts.connections);
  const serve = (request: IncomingMessage, response: ServerResponse): void => void answer(parts, { request, response });
  server.on('request', serve);
  // An expectation we do not know is no reason to refuse; Node would answer 417 behind our back.
  server.on('checkExpectation', serve);
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    const [reason, statusLine] = FAULTS[code] ?? ['bad_http', '400 Bad Request'];
    if (reason !== undefined) parts.onRefused(reason);
    if (socket.writable) socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });
  return {
    server,
    close: async (deadlineMs) => {
      const ended = connections.end(deadlineMs);
      server.closeIdleConnections();
      await ended;
    },
  };
}

/** What is wrong before there is a request to answer. Who hung up in the middle of a body was counted with that request. */
const FAULTS: Readonly<Record<string, readonly [RefusalReason | undefined, string]>> = {
  ECONNRESET: [undefined, '400 Bad Request'],
  HPE_INVALID_EOF_STATE: [undefined, '400 Bad Request'],
  HPE_HEADER_OVERFLOW: ['bad_http', '431 Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['too_slow', '408 Request Timeout'],
};

async function answer(parts: HttpParts, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  response.on('error', () => response.destroy());
  try {
    const route = routeOf(parts, request, response);
    await route.serve(parts, exchange);
  } catch (error) {
    const reason: RefusalReason = error instanceof Rejected ? error.reason : 'internal';
    if (!(error instanceof Rejected)) parts.onFault(error);
    parts.onRefused(reason);
    if (isForLater(reason)) response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
    if (reason === 'unauthenticated') response.setHeader('WWW-Authenticate', 'Bearer');
    // Who may not be here gets no second request on the same connection, and need not send the rest of this one.
    if (reason === 'unauthenticated' || reason === 'wrong_host') response.setHeader('Connection', 'close');
    // There is no room for the rest.
    if (reason === 'full' && !request.complete) response.setHeader('Connection', 'close');
    refuse(request, response, REFUSALS[reason]);
  }
}

function routeOf(parts: HttpParts, request: IncomingMessage, response: ServerResponse): Route {
  if (parts.isLoopbackOnly && !isLoopbackHost(request)) throw new Rejected<RefusalReason>('wrong_host');
  const route = ROUTES.get((request.url ?? '').split('?')[0] ?? '');
  if (route === undefined) throw new Rejected<RefusalReason>('unknown_path');
  if (route.isOpen !== true && !parts.isAuthorized(request.headers.authorization))
    throw new Rejected<RefusalReason>('unauthenticated');
  if (!route.methods.includes(request.method ?? '')) {
    response.setHeader('Allow', route.methods.join(', '));
    throw new Rejected<RefusalReason>('wrong_method');
  }
  return route;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

function isLoopbackHost(request: IncomingMessage): boolean {
  return LOOPBACK.test(request.headers.host ?? '');
}

function otlpRoute(signal: OtlpSignal): Route {
  return {
    methods: ['POST'],
    serve: async ({ desk, bodies }, { request, response }) => {
      const encoding = encodingOf(request);
      if (encoding === undefined) throw new Rejected('wrong_content_type');
      const body = await bodies.read(request);
      const result = await bodies.hold(body, () => desk.take({ signal, encoding, body, transport: 'http' }));
      const bytes = encodeExportResponse(signal, encoding, result);
      send(response, { status: 200, contentType: contentTypeOf(encoding), body: bytes });
    },
  };
}

function state(troubleOf: (state: DeskState) => string | undefined): Route['serve'] {
  return async ({ desk }, { response }) => {
    const trouble = troubleOf(await desk.state());
    const body = `${trouble ?? 'ok'}\n`;
    send(response, { status: trouble === undefined ? 200 : 503, contentType: 'text/plain; charset=utf-8', body });
  };
}
