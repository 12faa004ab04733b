import { isoFromUnixNano } from '@spanprism/core/terminal';
import type { RunDetail, StoredSpan } from '@spanprism/store';
import { usdFromNanos } from '../money.ts';
import { runJson } from '../run-json.ts';
import { reasonings } from './reasoning.ts';
import { spansOf, wholeSpan } from './run-spans.ts';

/** The run, every span as it was captured with times in ISO 8601, and what led to each failed tool call. Spans are unpacked one by one. */
export function runDocument(detail: RunDetail): Readonly<Record<'run' | 'spans' | 'failedTools', unknown>> {
  const hasFailedTools = detail.spans.some(({ kind, status }) => kind === 'tool' && status === 'error');
  const reasons = hasFailedTools ? reasonings(spansOf(detail)) : [];
  return {
    run: runJson(detail.run),
    spans: spanDocuments(detail),
    failedTools: [...reasons].map(([spanId, { llmSpanId, thinking, text }]) => ({ spanId, llmSpanId, thinking, text })),
  };
}

function* spanDocuments({ spans }: RunDetail): Generator<object> {
  for (const stored of spans) yield { ...withIsoTimes({ ...wholeSpan(stored) }), ...costs(stored) };
}

function costs({ costNanoUsd, carriedNanoUsd }: StoredSpan): object {
  return {
    ...(costNanoUsd === undefined ? {} : { costUsd: usdFromNanos(costNanoUsd), costNanoUsd }),
    ...(carriedNanoUsd === undefined ? {} : { carriedUsd: usdFromNanos(carriedNanoUsd), carriedNanoUsd }),
  };
}

function withIsoTimes(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, withIsoTime(value)]));
}

/** In a span, what is a bigint is a time, and nothing else is. */
function withIsoTime(value: unknown): unknown {
  if (typeof value === 'bigint') return isoFromUnixNano(value);
  if (Array.isArray(value)) return value.map(withIsoTime);
  return typeof value === 'object' && value !== null ? withIsoTimes(value) : value;
}
