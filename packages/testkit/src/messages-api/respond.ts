import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip, type Gzip, gzipSync } from 'node:zlib';
import type { OpenExchange } from './exchange.ts';
import { type Answer, type ApiError, DEFAULT_USAGE, type Reply, stopReasonOf } from './reply.ts';
import { startUsageOf, type StreamEvent, streamEvents, wholeMessage } from './stream-events.ts';

/** A response under way. The signal tells that nobody waits for it any more. */
export interface ResponseLine {
  readonly response: ServerResponse;
  readonly exchange: OpenExchange;
  readonly gone: AbortSignal;
  /** Called after each change of the exchange. */
  readonly changed: () => void;
}

/** A client that is told of the cut together with the last bytes may throw those bytes away. */
const CUT_PAUSE_MS = 100;

/** Sends a reply, as fast as its pauses allow. Resolves when it has ended; rejects only when `gone` aborts. */
export async function respond(line: ResponseLine, reply: Reply): Promise<void> {
  await pause(reply.delayMs ?? 0, line.gone);
  if (reply.kind === 'apiError') return sendError(line, reply);
  return line.exchange.request.isStreaming ? stream(line, reply) : sendWhole(line, reply);
}

/** Sends JSON with the id headers that every response of the API has. */
export function sendJson(
  line: ResponseLine,
  sent: { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> },
): void {
  const isGzip = sent.headers?.['content-encoding'] === 'gzip';
  const bytes = Buffer.from(JSON.stringify(sent.body));
  line.exchange.status = sent.status;
  line.response.writeHead(sent.status, { ...idHeaders(line), 'content-type': 'application/json', ...sent.headers });
  line.response.end(isGzip ? gzipSync(bytes) : bytes);
}

/** An error body as the API spells it. */
export function errorBody(line: ResponseLine, error: { readonly type: string; readonly message: string }): unknown {
  return { type: 'error', error, request_id: line.exchange.requestId };
}

function sendError(line: ResponseLine, error: ApiError): void {
  const body = errorBody(line, { type: error.errorType, message: error.message });
  sendJson(line, { status: error.status, body, headers: error.headers });
  line.exchange.end = 'error';
}

async function sendWhole(line: ResponseLine, answer: Answer): Promise<void> {
  const { exchange } = line;
  const { ending } = answer;
  if (ending.kind === 'cut') return cutLine(line);
  if (ending.kind === 'hang') return until(line.gone);
  if (ending.kind === 'error') {
    sendJson(line, { status: 500, body: errorBody(line, { type: ending.errorType, message: ending.message }) });
    exchange.end = 'error';
    return;
  }
  const body = wholeMessage(answer, identity(exchange));
  exchange.startUsage = startUsageOf(answer);
  exchange.usage = answer.usage ?? DEFAULT_USAGE;
  exchange.stopReason = stopReasonOf(answer);
  sendJson(line, { status: 200, body, headers: { ...answer.headers, ...encodingHeader(answer) } });
  exchange.end = 'complete';
}

async function stream(line: ResponseLine, answer: Answer): Promise<void> {
  const { response, exchange, gone } = line;
  const { ending } = answer;
  const output =
    ending.kind !== 'complete' && ending.kind !== 'error' && ending.at === 'start'
      ? undefined
      : openStream(line, answer);
  for (const sent of streamEvents(answer, identity(exchange))) {
    await pause(sent.pauseMs, gone);
    note(exchange, sent, answer);
    line.changed();
    await output?.write(`event: ${sent.event}\ndata: ${JSON.stringify(sent.data)}\n\n`);
  }
  if (ending.kind === 'hang') return until(gone);
  if (ending.kind === 'cut') {
    await pause(output === undefined ? 0 : CUT_PAUSE_MS, gone);
    return cutLine(line);
  }
  await output?.end();
  exchange.end = ending.kind === 'error' ? 'error' : 'complete';
  response.end();
}

/** Keeps on the exchange what is being sent, and no more: tests compare traces with it as soon as the client has it. */
function note(exchange: OpenExchange, sent: StreamEvent, answer: Answer): void {
  if (sent.event === 'message_start') exchange.startUsage = startUsageOf(answer);
  if (sent.event === 'message_delta') {
    exchange.usage = answer.usage ?? DEFAULT_USAGE;
    exchange.stopReason = stopReasonOf(answer);
  }
}

interface StreamOutput {
  readonly write: (chunk: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

function openStream(line: ResponseLine, answer: Answer): StreamOutput {
  const { response, exchange } = line;
  exchange.status = 200;
  response.writeHead(200, {
    ...idHeaders(line),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...answer.headers,
    ...encodingHeader(answer),
  });
  response.flushHeaders();
  return answer.gzip === true
    ? gzipOutput(response)
    : { write: (chunk) => written(response, chunk), end: async () => {} };
}

/** Each event is flushed through the compressor, else the client would see nothing before the end. */
function gzipOutput(response: ServerResponse): StreamOutput {
  const gzip: Gzip = createGzip();
  gzip.on('data', (bytes: Buffer) => response.write(bytes));
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        gzip.write(chunk);
        gzip.flush(constants.Z_SYNC_FLUSH, resolve);
      }),
    end: () =>
      new Promise((resolve) => {
        gzip.on('end', resolve);
        gzip.end();
      }),
  };
}

/** Resolves once the bytes are on their way, so that a cut right after does not swallow them. */
function written(response: ServerResponse, chunk: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(chunk, () => resolve());
  });
}

function cutLine({ response, exchange }: ResponseLine): void {
  exchange.end = 'cut';
  response.destroy();
}

function idHeaders({ exchange }: ResponseLine): Record<string, string> {
  return { 'request-id': exchange.requestId, 'anthropic-organization-id': '00000000-0000-4000-8000-000000000001' };
}

function encodingHeader(answer: Answer): Record<string, string> {
  return answer.gzip === true ? { 'content-encoding': 'gzip' } : {};
}

function identity(exchange: OpenExchange): { messageId: string; model: string } {
  return { messageId: exchange.messageId ?? '', model: exchange.model };
}

async function pause(milliseconds: number, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: gone });
}

function until(gone: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    const leave = (): void => reject(gone.reason as Error);
    if (gone.aborted) leave();
    else gone.addEventListener('abort', leave, { once: true });
  });
}
