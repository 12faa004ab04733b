import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { OtlpSignal } from '@spanprism/core/child';
import type { Answer, Export } from './forward.ts';
import { tlsFiles } from './tls-files.ts';

const METHODS: Readonly<Record<OtlpSignal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};

/** Headers of the CLI's HTTP request that say nothing to a gRPC server. */
const OF_HTTP: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'user-agent',
]);

const TIMEOUT_MS = 10_000;
const FRAME_HEAD = 5;

/** Codes after which OTLP lets a client try again (OTLP specification, "OTLP/gRPC response"). */
const RETRYABLE: ReadonlySet<number> = new Set([1, 4, 8, 10, 11, 14, 15]);

/** The same message as one gRPC call: protobuf is protobuf, and metadata are headers. */
export async function forwardGrpc({ signal, destination, headers, body, env }: Export): Promise<Answer> {
  const session = connect(originOf(destination.url), tlsFiles(env, signal));
  const failed = new Promise<never>((_, reject) => session.once('error', reject));
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': METHODS[signal],
      'content-type': 'application/grpc',
      te: 'trailers',
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_HTTP.has(name))),
    });
    stream.setTimeout(TIMEOUT_MS, () => stream.close());
    stream.end(framed(headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
    return await Promise.race([answerOf(stream), failed]);
  } finally {
    session.close();
  }
}

/** An endpoint of gRPC may be written without a scheme. */
function originOf(url: string): string {
  return /^https?:/.test(url) ? url : `http://${url}`;
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let status: IncomingHttpHeaders = {};
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  // A call that fails at once has its status where others have their first headers.
  stream.once('response', (head) => (status = head));
  stream.once('trailers', (trailers) => (status = { ...status, ...trailers }));
  const received = await Promise.race([buffer(stream), broken]);
  const code = Number(status['grpc-status'] ?? 14);
  const headers = { 'content-type': 'application/x-protobuf' };
  if (code === 0) return { status: 200, headers, body: received.subarray(FRAME_HEAD) };
  return { status: RETRYABLE.has(code) ? 503 : 400, headers, body: Buffer.alloc(0) };
}
