import type { Span } from '../model/span.ts';

/** A span with what lies below it, in the order in which it started. */
export interface SpanBranch {
  readonly span: Span;
  readonly children: readonly SpanBranch[];
}

/** Builds the trees: siblings and roots by start, ties by key. A span whose parent is not among the spans is a root; none is lost. */
export function spanTrees(spans: readonly Span[]): readonly SpanBranch[] {
  const ordered = spans.toSorted(byStart);
  const byParent: Map<string, Span[]> = new Map();
  for (const span of ordered) {
    const siblings = byParent.get(span.parentSpanId ?? '');
    if (siblings === undefined) byParent.set(span.parentSpanId ?? '', [span]);
    else siblings.push(span);
  }
  const placed: Set<Span> = new Set();
  const grow = (span: Span): SpanBranch => {
    placed.add(span);
    const children = (byParent.get(span.spanId) ?? []).flatMap((child) => (placed.has(child) ? [] : [grow(child)]));
    return { span, children };
  };
  const ids: Set<string> = new Set(spans.map((span) => span.spanId));
  const branches = ordered.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId)).map(grow);
  // Spans that are each other's ancestors hang below no root: the first of them becomes one.
  for (const span of ordered) if (!placed.has(span)) branches.push(grow(span));
  return branches.sort((left, right) => byStart(left.span, right.span));
}

function byStart(left: Span, right: Span): number {
  if (left.startedAt !== right.startedAt) return left.startedAt < right.startedAt ? -1 : 1;
  if (left.key === right.key) return 0;
  return left.key < right.key ? -1 : 1;
}
