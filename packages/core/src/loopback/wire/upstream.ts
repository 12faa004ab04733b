import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls';
import { endOfHead, parseHead, statusOf } from './http-head.ts';
import { secureContextOf, type TlsFiles } from './secure-context.ts';

/** Where the exchanges of one route go. Made on the main thread, sent to the one that forwards. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Of the user's base URL, without a slash at its end. */
  readonly basePath: string;
  readonly proxy?: ProxyServer;
  readonly tls?: TlsFiles;
}

export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Of its `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** An upstream as the forwarding thread holds it: what takes time is done before the first request. */
export interface Dialed {
  readonly upstream: Upstream;
  readonly secureContext: SecureContext | undefined;
  /** For the `Host` field. */
  readonly authority: string;
}

export function prepare(upstream: Upstream): Dialed {
  const { host, port, isTls, tls, proxy } = upstream;
  const name = host.includes(':') ? `[${host}]` : host;
  const isDefaultPort = port === (isTls ? 443 : 80);
  const needsContext = isTls || proxy?.isTls === true;
  return {
    upstream,
    secureContext: needsContext ? secureContextOf(tls) : undefined,
    authority: isDefaultPort ? name : `${name}:${port}`,
  };
}

/** What is to become of a connection. */
export interface Dialing {
  connected(socket: Socket): void;
  failed(error: Error): void;
  /** What the upstream sends, from `connected` on. */
  bytes(bytes: Buffer): void;
  /** Asked afterwards: whether somebody still needs these bytes where they lie. */
  holdsBytes(): boolean;
}

const READ_BYTES = 64 * 1024;

/** Opens a connection. `connected` or `failed` is called, once. Returns what ends the attempt. */
export function dial(dialed: Dialed, dialing: Dialing): () => void {
  const { upstream } = dialed;
  let socket: Socket;
  let isSettled = false;
  const readsItself = upstream.proxy === undefined && !upstream.isTls;
  const settle = (error?: Error): void => {
    if (isSettled) return;
    isSettled = true;
    socket.removeAllListeners('error');
    if (error === undefined) {
      if (!readsItself) socket.on('data', (bytes: Buffer) => dialing.bytes(bytes));
      dialing.connected(socket);
    } else {
      socket.on('error', () => undefined);
      socket.destroy();
      dialing.failed(error);
    }
  };
  const follow = (next: Socket, event: 'connect' | 'secureConnect', then: () => void): Socket => {
    socket = next;
    next.setNoDelay(true);
    next.once('error', settle);
    next.once('close', () => settle(new Error('the connection closed before it was open')));
    next.once(event, then);
    return next;
  };
  const secure = (below: Socket | undefined, host: string, then: () => void): Socket =>
    follow(connectTls(tlsOptions(dialed, below, host)), 'secureConnect', then);
  const done = (): void => settle();
  const target = upstream.proxy ?? upstream;
  const viaProxy = (): void => {
    if (!upstream.isTls) return done();
    openTunnel(socket, dialed, (error) => {
      if (error !== undefined) settle(error);
      else secure(socket, upstream.host, done);
    });
  };
  const reached = upstream.proxy === undefined ? done : viaProxy;
  if (target.isTls) socket = secure(undefined, target.host, reached);
  else
    socket = follow(
      connectTcp({
        host: target.host,
        port: target.port,
        allowHalfOpen: true,
        ...(readsItself ? { onread: reading(dialing) } : {}),
      }),
      'connect',
      reached,
    );
  return () => {
    isSettled = true;
    socket.on('error', () => undefined);
    socket.destroy();
  };
}

/**
 * A piece that is read has a buffer of its own, which is thrown away when it has been passed on: in a stream of many small ones, that
 * is what costs most. One that is free again is read into again.
 */
function reading(dialing: Dialing): OnReadOpts {
  let window = Buffer.allocUnsafeSlow(READ_BYTES);
  return {
    buffer: () => window,
    callback: (length) => {
      dialing.bytes(window.subarray(0, length));
      if (dialing.holdsBytes()) window = Buffer.allocUnsafeSlow(READ_BYTES);
      return true;
    },
  };
}

function tlsOptions(dialed: Dialed, below: Socket | undefined, host: string): ConnectionOptions {
  const { upstream, secureContext } = dialed;
  const target = upstream.proxy ?? upstream;
  return {
    ...(below === undefined ? { host: target.host, port: target.port } : { socket: below }),
    ...(secureContext === undefined ? {} : { secureContext }),
    // An address has no name to be asked for by.
    ...(/^[0-9.]+$|:/.test(host) ? {} : { servername: host }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: upstream.tls?.allowsAnyCertificate !== true,
  };
}

const MAX_ANSWER_BYTES = 16_384;

/** Asks the proxy for a way through. What it answers is read byte by byte: what follows belongs to TLS. */
function openTunnel(socket: Socket, { upstream }: Dialed, done: (error?: Error) => void): void {
  const name = upstream.host.includes(':') ? `[${upstream.host}]` : upstream.host;
  const target = `${name}:${upstream.port}`;
  const authorization = upstream.proxy?.authorization;
  const proof = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  let answer: Buffer = Buffer.alloc(0);
  const closed = (): void => end(new Error('the proxy closed the connection'));
  const onData = (bytes: Buffer): void => {
    answer = Buffer.concat([answer, bytes]);
    const length = endOfHead(answer, 0);
    if (length === -1) {
      if (answer.length > MAX_ANSWER_BYTES) end(new Error('the proxy did not answer in HTTP'));
      return;
    }
    const status = statusOf(parseHead(answer.subarray(0, length)));
    if (status === undefined || status >= 300) return end(new Error(`the proxy answered ${status ?? 'nothing known'}`));
    const rest = answer.subarray(length);
    end();
    if (rest.length > 0) socket.unshift(rest);
  };
  const end = (error?: Error): void => {
    socket.off('data', onData);
    socket.off('close', closed);
    // The TLS socket reads it from here on.
    socket.pause();
    done(error);
  };
  socket.on('data', onData);
  socket.once('close', closed);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${proof}\r\n`);
}
