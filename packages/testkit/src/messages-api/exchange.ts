import type { RequestPurpose } from './purpose.ts';
import type { WireUsage } from './reply.ts';
import type { MessagesRequest } from './request.ts';

/** How a response ended. `open` is still running, `clientClosed` was left by the client before its end. */
export type ResponseEnd = 'open' | 'complete' | 'error' | 'cut' | 'clientClosed' | 'serverClosed';

/** One request and what became of it. The response fields fill in as it is sent. */
export interface Exchange {
  readonly request: MessagesRequest;
  /** Name of the rule that answered; absent for what the server answers by itself. */
  readonly rule?: string;
  readonly requestId: string;
  readonly messageId?: string;
  /** The model that the answer names; on errors the one that was asked for. */
  readonly model: string;
  /** Absent until response headers are sent. */
  readonly status?: number;
  /** Figures of `message_start`, or of the whole message; absent if none was sent. */
  readonly startUsage?: WireUsage;
  /** Final figures; absent if the answer never got as far as sending them. */
  readonly usage?: WireUsage;
  readonly stopReason?: string;
  readonly end: ResponseEnd;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly endedAt?: number;
}

/** One call of `POST /v1/messages` as the wire saw it: the figures to hold a trace against. */
export interface WireCall {
  readonly requestId: string;
  readonly messageId?: string;
  readonly model: string;
  readonly purpose: RequestPurpose;
  readonly sessionId?: string;
  readonly agentId?: string;
  readonly status?: number;
  readonly startUsage?: WireUsage;
  readonly usage?: WireUsage;
  readonly stopReason?: string;
  readonly end: ResponseEnd;
}

/** An exchange while its response is being sent. */
export type OpenExchange = { -readonly [Key in keyof Exchange]: Exchange[Key] };

/** The call that an exchange was; undefined for anything but `POST /v1/messages`. */
export function callOf(exchange: Exchange): WireCall | undefined {
  const { request, rule: _rule, receivedAt: _receivedAt, endedAt: _endedAt, ...answered } = exchange;
  if (request.method !== 'POST' || request.path !== '/v1/messages') return undefined;
  const { purpose, sessionId, agentId } = request;
  return {
    ...answered,
    purpose,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(agentId === undefined ? {} : { agentId }),
  };
}
