import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { isObject, type JsonObject } from '../json.ts';
import { parseEnvelope, type SentryEnvelope, type SentrySpanRow, spansOf } from './envelope.ts';

/** How the endpoint answers: with a status, by cutting the connection, or not at all. */
export type SentryAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | 'refuse'
  | 'hang';

export interface SentryRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly envelope: SentryEnvelope;
}

/** A running fake of Sentry's ingestion. */
export interface SentryEndpoint extends AsyncDisposable {
  /** For `Sentry.init`, or `SENTRY_DSN`. */
  readonly dsn: string;
  /** Everything that arrived, whatever it was answered. */
  readonly requests: readonly SentryRequest[];
  /** Spans of every form, in the order of arrival. */
  readonly spans: () => readonly SentrySpanRow[];
  /** Events of errors. */
  readonly errors: () => readonly JsonObject[];
  /** Everything received as text: to search for what must not leave. */
  readonly text: () => string;
  /** Answers so from now on. */
  readonly answer: (answer: SentryAnswer) => void;
  /** Forgets what arrived, and answers 200 again. */
  readonly clear: () => void;
  readonly close: () => Promise<void>;
}

interface Arrived {
  readonly id: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The server proper. On a thread of its own, as Sentry's instrumentation would trace a server of this one; it answers when told how. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const open = new Map();
let next = 0;
const server = createServer((incoming, response) => {
  const chunks = [];
  incoming.on('data', (chunk) => chunks.push(chunk));
  incoming.on('end', () => {
    const id = next++;
    open.set(id, response);
    parentPort.postMessage({ id, path: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks) });
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
parentPort.on('message', ({ id, answer }) => {
  const response = open.get(id);
  open.delete(id);
  if (answer === 'refuse') response.destroy();
  else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end('{}');
});
`;

/** Starts an endpoint on 127.0.0.1 that takes envelopes for every project. */
export async function startSentryEndpoint(): Promise<SentryEndpoint> {
  const worker = new Worker(SERVER, { eval: true, stdout: true, stderr: true });
  const requests: SentryRequest[] = [];
  let answer: SentryAnswer = { status: 200 };
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: { readonly port: number }) => resolve(message.port));
  });
  worker.on('message', ({ id, path, headers, body: raw }: Arrived) => {
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : Buffer.from(raw);
    requests.push({ path, headers, body, envelope: parseEnvelope(body) });
    worker.postMessage({ id, answer });
  });
  const close = async (): Promise<void> => void (await worker.terminate());
  return {
    dsn: `http://5e1f@127.0.0.1:${port}/42`,
    requests,
    spans: () => requests.flatMap(({ envelope }) => spansOf(envelope)),
    errors: () =>
      requests.flatMap(({ envelope }) =>
        envelope.items.flatMap(({ type, payload }) => (type === 'event' && isObject(payload) ? [payload] : [])),
      ),
    text: () => requests.map(({ path, body }) => `${path}\n${body.toString('utf8')}\n`).join(''),
    answer: (next) => void (answer = next),
    clear: () => {
      requests.length = 0;
      answer = { status: 200 };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
