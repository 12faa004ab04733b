import type { CapturedSpan, CaptureOptions, Sink, Span, SpanId } from '@spanprism/core';

/** One thing that a sink was told, in order. */
export type Told =
  | { readonly what: 'start' | 'end'; readonly span: Span }
  | { readonly what: 'turnEnd'; readonly spanId: SpanId };

export interface WatchingSink extends Sink {
  readonly told: readonly Told[];
  /** Spans that have ended, in the order of their ends. */
  readonly spans: readonly Span[];
}

/** A sink that keeps everything it is told, and how often. */
export function watchingSink(capture: CaptureOptions = 'full'): WatchingSink {
  const told: Told[] = [];
  return {
    name: 'watching',
    capture,
    told,
    get spans(): readonly Span[] {
      return told.flatMap((event) => (event.what === 'end' ? [event.span] : []));
    },
    spanStart: (span: CapturedSpan) => {
      told.push({ what: 'start', span });
      return undefined;
    },
    spanEnd: (span: CapturedSpan) => {
      told.push({ what: 'end', span });
    },
    turnEnd: (spanId: SpanId) => {
      told.push({ what: 'turnEnd', spanId });
    },
    flush: async () => undefined,
    close: async () => undefined,
  };
}
