import type { MessagePort } from 'node:worker_threads';
import { SharedSlots } from '../shared-slots.ts';
import type { Upstream } from './upstream.ts';

/** Why a connection was turned away. */
export type Refusal = 'bad_http' | 'wrong_host' | 'unknown_token' | 'unreachable';

/** How an exchange ended: `left` by the client, `cut` by the upstream, or it never got as far as the upstream. */
export type ExchangeEnd = 'complete' | 'left' | 'cut' | 'unreachable';

/** One request and its answer as they passed by. Of the heads only what is listed here is ever kept. */
export interface PassedExchange {
  readonly token: string;
  /** Of a route, counted from 0. */
  readonly number: number;
  readonly request: PassedRequest;
  readonly answer?: PassedAnswer;
  readonly end: ExchangeEnd;
  /** Code of the error that ended it. */
  readonly failure?: string;
  /** Milliseconds since 1970, as all times here. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** So much lay waiting to be read that only the figures of this one were kept. */
  readonly wasThinned: boolean;
}

export interface PassedRequest {
  readonly sessionId?: string;
  readonly agentId?: string;
  readonly parentAgentId?: string;
  readonly contentEncoding?: string;
  readonly body: Uint8Array;
  readonly isComplete: boolean;
}

export interface PassedAnswer {
  readonly status: number;
  readonly requestId?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly body: Uint8Array;
  /** When the first byte of the body came. */
  readonly firstByteAt?: number;
}

/** Bytes of its bodies. */
export function passedBytes({ request, answer }: PassedExchange): number {
  return request.body.length + (answer?.body.length ?? 0);
}

/** What the forwarding thread is given when it starts. */
export interface WireStart {
  readonly shared: SharedArrayBuffer;
  /** To the main thread, and to whoever reads what has passed. */
  readonly port: MessagePort;
  readonly readerPort: MessagePort;
}

/** From the main thread to the forwarding one. */
export type ToWire =
  | { readonly type: 'admit'; readonly token: string; readonly upstream: Upstream }
  | { readonly type: 'release'; readonly token: string };

/** From the forwarding thread to the main one. */
export type FromWire = { readonly type: 'listening' } | { readonly type: 'listen-failed'; readonly message: string };

/** From the forwarding thread to the reader. */
export type ToReader =
  | { readonly type: 'exchanges'; readonly exchanges: readonly PassedExchange[] }
  | { readonly type: 'release'; readonly token: string };

const SLOTS = [
  'connections',
  'requests',
  'calls',
  'unreachable',
  'cut',
  'left',
  'refused',
  'thinned',
  'lost',
  'waitingKib',
] as const;
type Slot = (typeof SLOTS)[number];

/** What the pass-through counts; readable from any thread at any time. */
export interface WireCounts {
  /** Connections that were accepted. */
  readonly connections: number;
  /** Requests of any kind that were passed on, and those of them that are model calls. */
  readonly requests: number;
  readonly calls: number;
  /** Of all requests: those whose upstream could not be reached, that it cut off, and that the client left. */
  readonly unreachable: number;
  readonly cut: number;
  readonly left: number;
  /** Requests turned away: no token of ours, another host, no HTTP. */
  readonly refused: number;
  /** Calls of which only figures were kept because too much lay waiting, and calls that passed unseen. */
  readonly thinned: number;
  readonly lost: number;
}

/** Numbers that all threads see without waiting for a message. */
export class WireState extends SharedSlots<Slot> {
  constructor(buffer?: SharedArrayBuffer) {
    super(SLOTS, buffer);
  }

  count(slot: Slot, by = 1): void {
    this.add(slot, by);
  }

  /** Bytes of exchanges that have passed and that nobody has read yet. */
  get waitingBytes(): number {
    return this.read('waitingKib') * 1024;
  }

  addWaiting(bytes: number): void {
    this.add('waitingKib', Math.ceil(bytes / 1024));
  }

  removeWaiting(bytes: number): void {
    this.add('waitingKib', -Math.ceil(bytes / 1024));
  }

  counts(): WireCounts {
    const counts = SLOTS.map((slot) => [slot, this.read(slot)] as const);
    const { waitingKib: _, ...told } = Object.fromEntries(counts) as Record<Slot, number>;
    return told;
  }
}
