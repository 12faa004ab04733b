import type { WireExchange } from '../../loopback/wire/wire-exchange.ts';
import type { CallPassed, CallRef, Observation } from '../../model/observation.ts';
import type { SpanEvent } from '../../model/span.ts';
import { unixNanoFromMs } from '../../model/time.ts';
import { readCall, type WireCall } from './read-call.ts';

export interface WireSourceOptions {
  readonly observe: (observation: Observation) => void;
  /** Takes each call in place of `observe`: for `TurnsOfWire`, where nobody else tells of the run. */
  readonly onPassed?: (exchange: WireExchange, passed: CallPassed) => void;
}

export interface WireSourceCounters {
  readonly exchanges: number;
  /** Of all exchanges: those with something that was not readable, or left out. */
  readonly withGaps: number;
}

type PassedName = CallPassed['call'];

/** Attempts of one call that have failed so far. */
interface Attempts {
  readonly startedAt: number;
  readonly names: readonly PassedName[];
  readonly retries: readonly SpanEvent[];
}

/** Turns exchanges with the Messages API into observations. One exchange is one attempt; what an agent asks again unchanged is one call. */
export class WireSource {
  readonly #options: WireSourceOptions;
  /** By agent and purpose. */
  readonly #failed: Map<string, Attempts> = new Map();
  #sessionId: string | undefined;
  #exchanges = 0;
  #withGaps = 0;

  constructor(options: WireSourceOptions) {
    this.#options = options;
  }

  get counters(): WireSourceCounters {
    return { exchanges: this.#exchanges, withGaps: this.#withGaps };
  }

  receive(exchange: WireExchange): void {
    this.#exchanges += 1;
    if (exchange.gaps.length > 0) this.#withGaps += 1;
    this.#session(exchange);
    const call = readCall(exchange);
    const passed = this.#passed(exchange, call);
    const { observe, onPassed } = this.#options;
    if (onPassed === undefined) observe(passed);
    else onPassed(exchange, passed);
  }

  #session({ sessionId, startedAt }: WireExchange): void {
    if (sessionId === undefined || sessionId === this.#sessionId) return;
    this.#sessionId = sessionId;
    const at = unixNanoFromMs(startedAt);
    this.#options.observe({ type: 'session', id: `wire:session:${sessionId}`, source: 'wire', at, sessionId });
  }

  #passed(exchange: WireExchange, call: WireCall): CallPassed {
    const { agentId, startedAt, request } = exchange;
    const row = `${agentId ?? ''}/${request.purpose}/${request.model ?? ''}`;
    const before = request.isRepeated ? this.#failed.get(row) : undefined;
    const name = nameOf(exchange);
    const retries = before?.retries ?? [];
    this.#failed.delete(row);
    if (call.error !== undefined || call.wasCut) {
      this.#failed.set(row, {
        startedAt: before?.startedAt ?? startedAt,
        names: [...(before?.names ?? []), name],
        retries: [...retries, retryAfter(exchange, call, retries.length + 1)],
      });
    }
    return {
      type: 'call-passed',
      id: `wire:${exchange.token}:${exchange.number}`,
      source: 'wire',
      at: unixNanoFromMs(exchange.endedAt),
      agent: agentId === undefined ? {} : { agentId },
      call: name,
      replaces: before?.names ?? [],
      startedAt: unixNanoFromMs(before?.startedAt ?? startedAt),
      endedAt: unixNanoFromMs(exchange.endedAt),
      retries,
      ...call,
    };
  }
}

/** By its ids, and where it has none by its place among those that passed. */
function nameOf({ requestId, answer, token, number }: WireExchange): PassedName {
  const ids: CallRef = {
    ...(requestId === undefined ? {} : { requestId }),
    ...(answer?.messageId === undefined ? {} : { messageId: answer.messageId }),
  };
  return Object.keys(ids).length > 0 ? ids : { unnamed: `w:${token}:${number}` };
}

function retryAfter(exchange: WireExchange, call: WireCall, attempt: number): SpanEvent {
  const { error } = call;
  const status = exchange.status;
  const isAnswered = status !== undefined && status >= 400;
  return {
    name: 'retry',
    at: unixNanoFromMs(exchange.endedAt),
    attributes: {
      attempt,
      ...(isAnswered ? { status_code: status } : {}),
      error: error?.type ?? 'stream_cut',
      ...(exchange.requestId === undefined ? {} : { request_id: exchange.requestId }),
    },
  };
}
