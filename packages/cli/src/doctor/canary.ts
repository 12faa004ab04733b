import {
  applyCapture,
  type CustomSpan,
  resolveCapture,
  type Sink,
  type SpanId,
  type SpanKey,
  type TraceId,
} from '@spanprism/core';
import { randomBytes } from 'node:crypto';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { type Exchange, type HttpWatch, isPage } from './http-watch.ts';

/** What came of a sink's canary. */
export interface CanaryEnd {
  /** Whether the backend has taken it. */
  readonly isDelivered: boolean;
  /** The request that says so, or why not; absent when there was none. */
  readonly exchange?: Exchange;
  /** The sink's own words on what went wrong, without anything secret. */
  readonly words: string;
  /** Why the sink did not send it, or what the backend did with it: `sampled_out`, `rejected`. */
  readonly dropped: readonly string[];
}

export const CANARY_MS = 5_000;
const CLOSE_MS = 100;
const NANOS_PER_MS = 1_000_000n;

/** Sends one span and waits until it is taken, or its first request has failed, or the time is over. Closes the sink. */
export async function sendCanary(sink: Sink, watch: HttpWatch, limitMs: number = CANARY_MS): Promise<CanaryEnd> {
  const exchanges: Exchange[] = [];
  let stop: (value?: unknown) => void = () => undefined;
  const isFailed = new Promise((resolve) => {
    stop = resolve;
  });
  const told = (exchange: Exchange): void => {
    exchanges.push(exchange);
    if (!isTaken(exchange)) stop();
  };
  const limit = new AbortController();
  // What it has said by then is in the error of its end.
  sink.useDiag?.(() => undefined);
  const words = await watch.run(told, async () => {
    const span = applyCapture(canarySpan(), resolveCapture({}, { environment: {} }));
    sink.spanStart?.(span);
    sink.spanEnd(span);
    sink.turnEnd?.(span.spanId);
    const flushed = sink.flush(limitMs).then(() => '', wordsOf);
    const late = delay(limitMs + CLOSE_MS, '', { signal: limit.signal }).catch(() => '');
    await Promise.race([flushed, isFailed, late]);
    // The sink learns of an answer after us: what it lost is told by whichever of the two ends after that.
    const closed = await sink.close(CLOSE_MS).then(() => '', wordsOf);
    return closed || Promise.race([flushed, setImmediate('')]);
  });
  limit.abort();
  const dropped = Object.keys(sink.stats?.().dropped ?? {});
  const exchange = exchanges.find((one) => !isTaken(one)) ?? exchanges.at(-1);
  const isDelivered = words === '' && dropped.length === 0 && (exchange === undefined || isTaken(exchange));
  return { isDelivered, words, dropped, ...(exchange === undefined ? {} : { exchange }) };
}

function isTaken(exchange: Exchange): boolean {
  const { status = 0 } = exchange;
  return status >= 200 && status < 300 && !isPage(exchange);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function canarySpan(): CustomSpan {
  const spanId = randomBytes(8).toString('hex') as SpanId;
  const endedAt = BigInt(Date.now()) * NANOS_PER_MS;
  return {
    kind: 'custom',
    name: 'spanprism doctor',
    key: `custom:${spanId}` as SpanKey,
    // Its end is what samplers go by: whatever share they keep, this is among it.
    traceId: `${randomBytes(9).toString('hex')}${'f'.repeat(14)}` as TraceId,
    spanId,
    startedAt: endedAt - NANOS_PER_MS,
    endedAt,
    status: 'ok',
    events: [],
    seenBy: [],
    issues: [],
    attributes: { 'spanprism.canary': true },
  };
}
