import type { CaptureOptions } from '../model/capture-options.ts';
import type { CapturedSpan, Sink } from '../model/sink.ts';

export interface MemorySinkOptions {
  /** Default `memory`. */
  readonly name?: string;
  readonly capture?: CaptureOptions;
}

export interface MemorySink extends Sink {
  /** Ended spans, in the order of their ends. */
  readonly spans: readonly CapturedSpan[];
  clear(): void;
}

/** Keeps ended spans in memory: for tests, and for programs that look at their own traces. It grows until `clear()`. */
export function memorySink(options: MemorySinkOptions = {}): MemorySink {
  const spans: CapturedSpan[] = [];
  let delivered = 0;
  return {
    name: options.name ?? 'memory',
    ...(options.capture === undefined ? {} : { capture: options.capture }),
    spans,
    clear: () => {
      spans.length = 0;
    },
    spanEnd: (span) => {
      spans.push(span);
      delivered += 1;
    },
    flush: async () => undefined,
    close: async () => undefined,
    stats: () => ({ delivered, queued: 0, dropped: {} }),
  };
}
