import type { BodyTrouble, Rejection } from '@spanprism/core/receive';

/** Why a request was not taken. Nothing of it has any effect. */
export type RefusalReason =
  | BodyTrouble
  | 'bad_http'
  | 'crowded'
  | 'disk'
  | 'full'
  | 'internal'
  | 'not_ready'
  | 'too_slow'
  | 'unauthenticated'
  | 'unknown_path'
  | 'wrong_host'
  | 'wrong_method';

/** Status and gRPC code as the OTLP specification maps them; those of 429 and 503 are for the client to try again. */
export const REFUSALS: Readonly<Record<RefusalReason, Rejection>> = {
  aborted: { status: 400, code: 1, message: 'the connection closed before the body was complete' },
  bad_gzip: { status: 400, code: 3, message: 'the body is not valid gzip' },
  bad_http: { status: 400, code: 3, message: 'not an HTTP/1.1 request' },
  crowded: { status: 503, code: 14, message: 'too many connections' },
  disk: { status: 503, code: 14, message: 'the spool cannot be written' },
  full: { status: 429, code: 8, message: 'too much waits to be delivered' },
  internal: { status: 500, code: 13, message: 'the receiver failed' },
  malformed: { status: 400, code: 3, message: 'the body is not a valid OTLP request' },
  not_ready: { status: 503, code: 14, message: 'this collector is starting or shutting down' },
  too_large: { status: 413, code: 8, message: 'the body is larger than this collector takes' },
  too_slow: { status: 408, code: 4, message: 'the request took too long to arrive' },
  unauthenticated: { status: 401, code: 16, message: 'the bearer token is missing or wrong' },
  unknown_path: { status: 404, code: 5, message: 'no such path' },
  wrong_content_encoding: { status: 415, code: 3, message: 'Content-Encoding must be gzip or identity' },
  wrong_content_type: {
    status: 415,
    code: 3,
    message: 'Content-Type must be application/x-protobuf or application/json',
  },
  wrong_host: { status: 421, code: 7, message: 'Host must be this loopback address' },
  wrong_method: { status: 405, code: 12, message: 'the method is not allowed here' },
};

/** Seconds after which a client that was told to come again may do so. */
export const RETRY_AFTER_SECONDS = 5;

export const isForLater = (reason: RefusalReason): boolean => RETRYABLE.has(REFUSALS[reason].status);
const RETRYABLE: ReadonlySet<number> = new Set([429, 503]);
