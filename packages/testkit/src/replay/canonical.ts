import type { Span, SpanEvent } from '../../../core/src/model/span.ts';

/** Everything that spans say, in an order of their own, with a place in the tree instead of every id that was minted at random. */
export function canonical(spans: readonly Span[]): readonly string[] {
  const ids = new Set<string>(spans.map((span) => span.spanId));
  const names = new Map<string, string>();
  const visit = (siblings: readonly Span[], parent: string): void => {
    const counts = new Map<string, number>();
    for (const span of siblings.toSorted(inOrder)) {
      const own = nameOf(span);
      const count = counts.get(own) ?? 0;
      counts.set(own, count + 1);
      const name = `${parent}/${own}${count === 0 ? '' : `#${count}`}`;
      names.set(span.spanId, name);
      visit(
        spans.filter((child) => child.parentSpanId === span.spanId),
        name,
      );
    }
  };
  visit(
    spans.filter((span) => span.parentSpanId === undefined || !ids.has(span.parentSpanId)),
    '',
  );
  for (const { traceId } of spans) if (!names.has(traceId)) names.set(traceId, 'trace');
  return spans.map((span) => `${names.get(span.spanId)} ${written(span, names)}`).sort();
}

function inOrder(left: Span, right: Span): number {
  if (left.startedAt !== right.startedAt) return left.startedAt < right.startedAt ? -1 : 1;
  return nameOf(left) < nameOf(right) ? -1 : 1;
}

/** By natural ids alone. */
function nameOf(span: Span): string {
  switch (span.kind) {
    case 'agent':
      return `agent:${span.agentId ?? span.role}`;
    case 'llm':
      return `llm:${span.requestId ?? span.messageId ?? '-'}`;
    case 'tool':
    case 'permission':
      return `${span.kind}:${span.toolCallId}`;
    case 'hook':
      return `hook:${span.hookEvent}`;
    case 'custom':
      return `custom:${span.name}`;
  }
}

/** Sets are told in the order in which things became known, which is no part of what they say. */
function written(span: Span, names: ReadonlyMap<string, string>): string {
  const plain = {
    ...span,
    issues: span.issues.toSorted((a, b) => (`${a.code}${a.field}` < `${b.code}${b.field}` ? -1 : 1)),
    events: span.events.toSorted(byTime),
  };
  const text = JSON.stringify(plain, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : sorted(value)));
  return text.replace(/[0-9a-f]{32}|[0-9a-f]{16}/g, (id) => names.get(id) ?? id);
}

function byTime(left: SpanEvent, right: SpanEvent): number {
  return left.at < right.at ? -1 : 1;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
