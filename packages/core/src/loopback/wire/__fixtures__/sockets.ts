import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createPassThrough } from '../pass-through.ts';
import { type Dialed, prepare, type Upstream } from '../upstream.ts';
import type { ExchangeEnd, PassedExchange, Refusal } from '../wire-protocol.ts';

/** A server of bytes: what it got, and what it is to do with each connection. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
  readonly sockets: readonly Socket[];
  /** Everything that has come in, connection by connection. */
  readonly received: () => readonly string[];
}

export async function rawServer(serve: (socket: Socket, bytes: Buffer) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const received: Buffer[][] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const own: Buffer[] = [];
    sockets.push(socket);
    received.push(own);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      own.push(bytes);
      serve(socket, bytes);
    });
  });
  return {
    port: await listening(server),
    sockets,
    received: () => received.map((own) => Buffer.concat(own).toString('latin1')),
    [Symbol.asyncDispose]: () => closed(server, sockets),
  };
}

export interface PassThrough extends AsyncDisposable {
  readonly port: number;
  readonly exchanges: readonly PassedExchange[];
  readonly ends: readonly ExchangeEnd[];
  readonly refusals: readonly Refusal[];
  readonly requests: readonly boolean[];
  /** Sends bytes and returns the connection with all that came back. */
  readonly open: (...pieces: string[]) => Promise<Wire>;
}

export interface Wire {
  readonly socket: Socket;
  readonly text: () => string;
  /** Settles when the text that came back meets this. */
  readonly until: (isMet: (text: string) => boolean) => Promise<string>;
  /** Settles when the other side has closed. */
  readonly closed: Promise<unknown>;
}

export const TOKEN = 't0ken';

/** The pass-through in front of one upstream, in this very thread. */
export async function passThrough(upstream: Partial<Upstream> & { readonly port: number }): Promise<PassThrough> {
  const dialed: Dialed = prepare({ host: '127.0.0.1', isTls: false, basePath: '', ...upstream });
  const told = { exchanges: [] as PassedExchange[], ends: [] as ExchangeEnd[], refusals: [] as Refusal[], requests: [] as boolean[] };
  const clients: Socket[] = [];
  const server = createPassThrough(
    {
      observes: true,
      route: (token) => (token === TOKEN ? dialed : undefined),
      refused: (refusal) => void told.refusals.push(refusal),
      requested: (isCall) => void told.requests.push(isCall),
      ended: (end) => void told.ends.push(end),
      observed: (exchange, how) =>
        void told.exchanges.push(exchange.ended({ ...how, number: told.exchanges.length, isThin: false })),
    },
    (client) => void clients.push(client),
  );
  const port = await listening(server);
  return {
    port,
    ...told,
    open: async (...pieces) => {
      const wire = await openWire(port);
      clients.push(wire.socket);
      for (const piece of pieces) {
        wire.socket.write(piece, 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
      }
      return wire;
    },
    [Symbol.asyncDispose]: () => closed(server, clients),
  };
}

async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.once('end', () => socket.end());
  const isClosed = once(socket, 'close').catch(() => undefined);
  await once(socket, 'connect');
  return {
    socket,
    text: () => text,
    closed: isClosed,
    until: async (isMet) => {
      while (!isMet(text)) await Promise.race([once(socket, 'data'), isClosed.then(() => Promise.reject(new Error(`closed after ${text}`)))]);
      return text;
    },
  };
}

/** A request to the pass-through, with the head fields that it needs. */
export function request(port: number, parts: { readonly line?: string; readonly fields?: readonly string[]; readonly body?: string }): string {
  const { line = `POST /${TOKEN}/v1/messages?beta=true HTTP/1.1`, fields = [], body = '{}' } = parts;
  return [line, `Host: 127.0.0.1:${port}`, ...fields, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`, '', body].join('\r\n');
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
}
