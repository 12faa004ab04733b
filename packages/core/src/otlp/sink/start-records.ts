import type { Dialect, DialectRecord } from '../../dialect/dialect.ts';
import type { CapturedSpan, Diag, Sink } from '../../model/sink.ts';
import type { Sampler } from '../config/sampler.ts';
import { createDelivery } from '../deliver/delivery.ts';
import type { Delivery, DeliveryOptions } from '../deliver/delivery-options.ts';

/** A record is worth less with every second: by then its span may have ended, which tells more. */
const MAX_ELAPSED_MS = 10_000;
const MAX_QUEUE_BYTES = 1024 * 1024;

export interface StartRecordsOptions {
  readonly delivery: DeliveryOptions;
  readonly encode: (span: CapturedSpan, record: DialectRecord) => Uint8Array;
  readonly sampler: Sampler;
  readonly diag: Diag;
}

/** Adds what a dialect sends when a span starts; the sink as it is for a dialect that sends nothing. */
export function withStartRecords(sink: Sink, dialect: Dialect, options: StartRecordsOptions): Sink {
  if (dialect.atStart === undefined) return sink;
  const records = startDelivery(options);
  return {
    ...sink,
    spanStart: (span) => {
      const record = options.sampler(span) ? dialect.atStart?.(span) : undefined;
      if (record !== undefined) records.enqueue(options.encode(span, record));
      // The trace is core's: nothing is opened here.
      return undefined;
    },
    flush: async (deadlineMs) => {
      await Promise.all([sink.flush(deadlineMs), records.flush(deadlineMs).catch(ignored)]);
    },
    close: async (deadlineMs) => {
      await Promise.all([sink.close(deadlineMs), records.close(deadlineMs).catch(ignored)]);
    },
  };
}

// A queue of their own: they never take room from spans, are not counted among them, and are lost without harm. What is wrong
// with the backend is said once, of the spans.
function startDelivery({ delivery, diag }: StartRecordsOptions): Delivery {
  const { spool: _, ...rest } = delivery;
  return createDelivery({
    ...rest,
    name: `${delivery.name} starts`,
    maxQueueBytes: MAX_QUEUE_BYTES,
    retry: { ...delivery.retry, maxElapsedMs: MAX_ELAPSED_MS },
    complaints: { say: (_level, _kind, message) => diag('debug', message) },
  });
}

function ignored(): void {
  // Whether they arrived is not asked: each has a span, and that is.
}
