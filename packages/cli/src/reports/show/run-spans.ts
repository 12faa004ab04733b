import type { CapturedSpan } from '@spanprism/core';
import type { RunDetail, StoredSpan } from '@spanprism/store';

/** The whole spans of a run, placed where the store has them: what two sources told of one run has one set of ids there. */
export function spansOf({ spans }: RunDetail): readonly CapturedSpan[] {
  return spans.map(wholeSpan);
}

export function wholeSpan(stored: StoredSpan): CapturedSpan {
  const { parentSpanId: _, ...body } = stored.body();
  const { spanId, parentSpanId, traceId } = stored;
  return { ...body, spanId, traceId, ...(parentSpanId === undefined ? {} : { parentSpanId }) } as CapturedSpan;
}
