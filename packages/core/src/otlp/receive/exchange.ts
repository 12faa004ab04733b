import type { IncomingMessage, ServerResponse } from 'node:http';
import { OtlpDecodeError } from '../decode/error.ts';
import type { OtlpEncoding } from '../records.ts';
import { Rejected, type Rejection } from './rejected.ts';

const ENCODINGS: ReadonlyMap<string, OtlpEncoding> = new Map<string, OtlpEncoding>([
  ['application/x-protobuf', 'protobuf'],
  ['application/json', 'json'],
]);

/** What the body of a request says it is; undefined when that is nothing of OTLP. */
export function encodingOf(request: IncomingMessage): OtlpEncoding | undefined {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';');
  return ENCODINGS.get(mediaType.trim().toLowerCase());
}

export function contentTypeOf(encoding: OtlpEncoding): string {
  return encoding === 'json' ? 'application/json' : 'application/x-protobuf';
}

/** Runs a decoder; throws `Rejected` where it throws an `OtlpDecodeError`. */
export function decodeOrReject<Decoded>(decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error;
    throw new Rejected(error.code === 'too_large' ? 'too_large' : 'malformed');
  }
}

/** OTLP/HTTP: a refusal is a google.rpc.Status in the encoding of the request; JSON where that is unknown. */
export function refuse(request: IncomingMessage, response: ServerResponse, { status, code, message }: Rejection): void {
  const encoding = encodingOf(request) ?? 'json';
  const body =
    encoding === 'json'
      ? JSON.stringify({ code, message })
      : Buffer.from([0x08, code, 0x12, message.length, ...Buffer.from(message)]);
  send(response, { status, contentType: contentTypeOf(encoding), body });
}

/** Answers, unless that has been done or nobody listens any more. */
export function send(
  response: ServerResponse,
  answer: { readonly status: number; readonly contentType: string; readonly body: string | Uint8Array },
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
  });
  // Head and body in one piece: an empty second piece would be a write of its own.
  if (answer.body.length === 0) response.end();
  else response.end(answer.body);
}
