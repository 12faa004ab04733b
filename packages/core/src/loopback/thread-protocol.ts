import type { MessagePort } from 'node:worker_threads';
import type { BodyTrouble, Rejection } from '../otlp/receive/rejected.ts';
import type { OtlpRequest } from '../otlp/records.ts';
import { SharedSlots } from './shared-slots.ts';
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

/** What the receiver's thread and the main thread share. */
export class SharedState extends SharedSlots<RejectReason | 'backlogKib'> {
  constructor(buffer?: SharedArrayBuffer) {
    super([...REASONS, 'backlogKib'], buffer);
  }

  /** Bytes of bodies that were decoded but not yet taken by the main thread, in whole KiB. */
  get backlogBytes(): number {
    return this.read('backlogKib') * 1024;
  }

  addBacklog(bytes: number): void {
    this.add('backlogKib', Math.ceil(bytes / 1024));
  }

  removeBacklog(bytes: number): void {
    this.add('backlogKib', -Math.ceil(bytes / 1024));
  }

  countRejection(reason: RejectReason): void {
    this.add(reason, 1);
  }

  rejections(): Readonly<Record<RejectReason, number>> {
    return Object.fromEntries(REASONS.map((reason) => [reason, this.read(reason)])) as Record<RejectReason, number>;
  }
}
