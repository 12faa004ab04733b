import type { Span } from '../model/span.ts';

/** A span with what lies below it, in the order in which it started. */
export interface SpanBranch {
  readonly span: Span;
  readonly children: readonly SpanBranch[];
}

/** Builds the trees; a span whose parent is not among the spans is a root. */
export function spanTrees(spans: readonly Span[]): readonly SpanBranch[] {
  const ids: Set<string> = new Set(spans.map((span) => span.spanId));
  const roots: Span[] = [];
  const byParent: Map<string, Span[]> = new Map();
  for (const span of [...spans].sort(byStart)) {
    const { parentSpanId } = span;
    if (parentSpanId === undefined || !ids.has(parentSpanId)) roots.push(span);
    else byParent.set(parentSpanId, [...(byParent.get(parentSpanId) ?? []), span]);
  }
  const branch = (span: Span): SpanBranch => ({ span, children: (byParent.get(span.spanId) ?? []).map(branch) });
  return roots.map(branch);
}

function byStart(left: Span, right: Span): number {
  if (left.startedAt !== right.startedAt) return left.startedAt < right.startedAt ? -1 : 1;
  if (left.key === right.key) return 0;
  return left.key < right.key ? -1 : 1;
}
