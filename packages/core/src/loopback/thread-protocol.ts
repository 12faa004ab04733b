import type { MessagePort } from 'node:worker_threads';
import type { BodyTrouble, Rejection } from '../otlp/receive/rejected.ts';
import type { OtlpRequest } from '../otlp/records.ts';
import type { WireExchange } from './wire/wire-exchange.ts';

/** Why a request was not taken. */
export type RejectReason =
  | BodyTrouble
  | 'backlog'
  | 'bad_http'
  | 'internal'
  | 'unknown_path'
  | 'unknown_token'
  | 'wrong_host'
  | 'wrong_method';

// None of these statuses is one that OTLP clients retry: a retry would keep the CLI waiting at its exit.
export const REJECTIONS: Readonly<Record<RejectReason, Rejection>> = {
  aborted: { status: 400, code: 1, message: 'the connection closed before the body was complete' },
  backlog: { status: 507, code: 8, message: 'too many records wait for the main thread' },
  bad_gzip: { status: 400, code: 3, message: 'the body is not valid gzip' },
  bad_http: { status: 400, code: 3, message: 'not an HTTP/1.1 request' },
  internal: { status: 500, code: 13, message: 'the receiver failed' },
  malformed: { status: 400, code: 3, message: 'the body is not a valid OTLP request' },
  too_large: { status: 413, code: 8, message: 'the body is larger than 32 MiB, or than 64 MiB unpacked' },
  unknown_path: { status: 404, code: 5, message: 'no such path' },
  unknown_token: { status: 401, code: 16, message: 'the token in the path is not known here' },
  wrong_content_encoding: { status: 415, code: 3, message: 'Content-Encoding must be gzip or identity' },
  wrong_content_type: {
    status: 415,
    code: 3,
    message: 'Content-Type must be application/x-protobuf or application/json',
  },
  wrong_host: { status: 421, code: 7, message: 'Host must be this loopback address' },
  wrong_method: { status: 405, code: 12, message: 'only POST' },
};

const REASONS: readonly RejectReason[] = Object.keys(REJECTIONS) as RejectReason[];

/** What the loopback thread is given when it starts. */
export interface ThreadStart {
  readonly shared: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** From the main thread to the loopback thread. */
export type ToThread = TokenOrder | ReadWire;

export interface TokenOrder {
  readonly type: 'admit' | 'release';
  readonly token: string;
}

/** Exchanges that have passed through another thread come in by this port, to be read here. */
export interface ReadWire {
  readonly type: 'read-wire';
  readonly port: MessagePort;
  readonly shared: SharedArrayBuffer;
}

/** From the loopback thread to the main thread, in the order in which things happened. */
export type ToMain =
  | { readonly type: 'listening' }
  | { readonly type: 'listen-failed'; readonly message: string }
  | { readonly type: 'batch'; readonly token: string; readonly request: OtlpRequest; readonly bytes: number }
  | { readonly type: 'exchanges'; readonly exchanges: readonly WireExchange[]; readonly bytes: number }
  | { readonly type: 'gone'; readonly token: string };

const PORT = 0;
const BACKLOG_KIB = 1;
const FIRST_REASON = 2;
const FAILED = -1;

/** The few numbers both threads must see without waiting for a message: readable while the other thread is blocked or already gone. */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * (FIRST_REASON + REASONS.length))) {
    this.buffer = buffer;
    this.#slots = new Int32Array(buffer);
  }

  /** The port, or undefined while it is not known and after a failure. */
  get port(): number | undefined {
    const port = Atomics.load(this.#slots, PORT);
    return port > 0 ? port : undefined;
  }

  publishPort(port: number | undefined): void {
    Atomics.store(this.#slots, PORT, port ?? FAILED);
    Atomics.notify(this.#slots, PORT);
  }

  /** Blocks this thread until the port is known, the start has failed, or `limitMs` are over. */
  waitForPort(limitMs: number): void {
    Atomics.wait(this.#slots, PORT, 0, limitMs);
  }

  /** Bytes of bodies that were decoded but not yet taken by the main thread, in whole KiB. */
  get backlogBytes(): number {
    return Atomics.load(this.#slots, BACKLOG_KIB) * 1024;
  }

  addBacklog(bytes: number): void {
    Atomics.add(this.#slots, BACKLOG_KIB, Math.ceil(bytes / 1024));
  }

  removeBacklog(bytes: number): void {
    Atomics.sub(this.#slots, BACKLOG_KIB, Math.ceil(bytes / 1024));
  }

  countRejection(reason: RejectReason): void {
    Atomics.add(this.#slots, FIRST_REASON + REASONS.indexOf(reason), 1);
  }

  rejections(): Readonly<Record<RejectReason, number>> {
    const counts = REASONS.map((reason, index) => [reason, Atomics.load(this.#slots, FIRST_REASON + index)]);
    return Object.fromEntries(counts) as Record<RejectReason, number>;
  }
}
