import { createHash } from 'node:crypto';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Environment, OtlpSignal } from '@spanprism/core/child';
import { decodeBatch, type OtlpRequest, type Unread } from '@spanprism/core/sessions';
import { forwardGrpc } from './forward-grpc.ts';
import { tlsFiles } from './tls-files.ts';
import { type Destination, type OwnTelemetry, SIGNALS } from './own-telemetry.ts';

export interface ForwardParts {
  /** Takes what the user does not export himself. */
  readonly server: Server;
  readonly token: string;
  readonly own: OwnTelemetry;
  readonly env: Environment;
  readonly batch: (unread: Unread) => void;
}

/** What the backend answered, to be handed back as it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** One export on its way to the user's backend. */
export interface Export {
  readonly signal: OtlpSignal;
  readonly destination: Destination;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly env: Environment;
}

/** Of one hop, not of the message (RFC 9110 §7.6.1), or made anew for the next one. */
const OF_THE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'host',
  'content-length',
  'expect',
]);

const REMEMBERED = 64;

/**
 * A server that hands on what the user exports himself, byte for byte, and gives back what his backend answers: the CLI retries, waits
 * and gives up as it would without us. What passes is looked at too.
 */
export function forwarding({ server, token, own, env, batch }: ForwardParts): Server {
  const seen = new Set<string>();
  const look = (sent: Export): void => {
    // An export that his backend would not take comes again.
    const digest = createHash('sha1').update(sent.body).digest('base64');
    if (seen.has(digest)) return;
    seen.add(digest);
    if (seen.size > REMEMBERED) for (const oldest of [...seen].slice(0, 1)) seen.delete(oldest);
    batch(() => decodedOf(sent));
  };
  const front = http.createServer({ keepAliveTimeout: 0, requestTimeout: 60_000 }, (request, response) => {
    const signal = SIGNALS.find((name) => request.url === `/${token}/v1/${name}`);
    const destination = signal === undefined ? undefined : own[signal];
    if (signal === undefined || destination === undefined || request.method !== 'POST') {
      server.emit('request', request, response);
      return;
    }
    const handOn = async (): Promise<void> => {
      const sent = { signal, destination, headers: request.headers, env, body: await buffer(request) };
      const answer = destination.protocol === 'grpc' ? forwardGrpc(sent) : forwardHttp(sent);
      look(sent);
      give(response, await answer);
    };
    // His backend cannot be reached: the CLI is told so in the same way.
    handOn().catch(() => response.destroy());
  });
  return front;
}

function decodedOf({ signal, headers, body }: Export): OtlpRequest | undefined {
  try {
    const unpacked = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    return decodeBatch(signal, headers['content-type'], unpacked);
  } catch {
    return undefined;
  }
}

function give(response: ServerResponse, { status, headers, body }: Answer): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OF_THE_HOP.has(name)) response.setHeader(name, value as string | string[]);
  }
  response.writeHead(status, { 'Content-Length': body.byteLength });
  response.end(body);
}

async function forwardHttp({ signal, destination, headers, body, env }: Export): Promise<Answer> {
  const url = new URL(destination.url);
  const isSecure = url.protocol === 'https:';
  const own = Object.entries(headers).filter(([name]) => !OF_THE_HOP.has(name));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (isSecure ? https : http).request(url, {
      method: 'POST',
      headers: { ...Object.fromEntries(own), 'Content-Length': body.byteLength },
      ...(isSecure ? tlsFiles(env, signal) : {}),
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}
