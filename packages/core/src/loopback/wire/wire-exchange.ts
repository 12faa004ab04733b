import type { ExchangeEnd } from './wire-protocol.ts';

/** One exchange with the Messages API, read. Content is JSON as it was on the wire. */
export interface WireExchange {
  readonly token: string;
  /** Of a route, counted from 0. */
  readonly number: number;
  readonly sessionId?: string;
  readonly agentId?: string;
  readonly parentAgentId?: string;
  readonly request: WireRequest;
  readonly status?: number;
  readonly requestId?: string;
  readonly answer?: WireAnswer;
  readonly error?: { readonly type: string; readonly message: string };
  readonly end: ExchangeEnd;
  readonly failure?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly firstByteAt?: number;
  readonly endedAt: number;
  /** What could not be read or kept. */
  readonly gaps: readonly WireGap[];
}

/** `thinned`: too much lay waiting. `request` or `answer`: not readable as what it says that it is. */
export type WireGap = 'thinned' | 'request' | 'answer';

/** What a request is for; nothing on the wire says so. */
export type WirePurpose = 'turn' | 'compaction' | 'title' | 'validation' | 'other';

export interface WireRequest {
  readonly model?: string;
  readonly purpose: WirePurpose;
  /** Those that no earlier request of the same conversation had. */
  readonly messages: readonly unknown[];
  /** Nothing of this conversation was seen before. */
  readonly isFirst: boolean;
  /** The conversation's messages are those of its request before: an attempt to have the same answered. */
  readonly isRepeated: boolean;
  /** Of the first request of a conversation, and again when they change. */
  readonly system?: unknown;
  readonly tools?: readonly unknown[];
  /** In place of all that, a body that is no JSON. */
  readonly unreadable?: string;
}

export interface WireAnswer {
  readonly messageId?: string;
  readonly model?: string;
  readonly blocks: readonly unknown[];
  readonly startUsage?: unknown;
  /** Final figures. */
  readonly usage?: unknown;
  readonly stopReason?: string;
  readonly isStream: boolean;
  /** It was told to its end. */
  readonly isWhole: boolean;
}
