import type { CapturedSpan, SpanEvent } from '@spanprism/core';

/** Times that a span may have; as JSON they are decimal digits in a string, since a double holds no nanoseconds of today. */
const TIMES = ['startedAt', 'endedAt', 'firstTokenAt', 'executionStartedAt'] as const;

/** A span as one line of JSON: what is queued, kept in bodies, and left over for the next start. */
export function encodeSpan(span: CapturedSpan): string {
  const plain: Record<string, unknown> = { ...span };
  for (const name of TIMES) {
    const time = plain[name];
    if (time !== undefined) plain[name] = String(time);
  }
  if (span.events.length > 0) plain['events'] = span.events.map((event) => ({ ...event, at: String(event.at) }));
  return JSON.stringify(plain);
}

/** From a line that `encodeSpan` wrote. */
export function decodeSpan(line: string): CapturedSpan {
  const plain = JSON.parse(line) as Record<string, unknown>;
  for (const name of TIMES) {
    const time = plain[name];
    if (typeof time === 'string') plain[name] = BigInt(time);
  }
  const events = plain['events'] as readonly (Omit<SpanEvent, 'at'> & { readonly at: string })[];
  if (events.length > 0) plain['events'] = events.map((event) => ({ ...event, at: BigInt(event.at) }));
  return plain as unknown as CapturedSpan;
}
