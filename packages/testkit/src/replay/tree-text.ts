import type { Span } from '../../../core/src/model/span.ts';

/** Traces as a tree in words, as the expectations spell it. */
export function treeText(spans: readonly Span[]): string {
  const ids = new Set(spans.map((span) => span.spanId));
  const isRoot = (span: Span): boolean => span.parentSpanId === undefined || !ids.has(span.parentSpanId);
  const lines = (siblings: readonly Span[], depth: number): string[] =>
    siblings.toSorted(byStart).flatMap((span) => {
      const words = wordsOf(span);
      if (words === undefined) return [];
      const children = spans.filter((child) => child.parentSpanId === span.spanId);
      return [`${'  '.repeat(depth)}${words}`, ...lines(children, depth + 1)];
    });
  return `${lines(spans.filter(isRoot), 0).join('\n')}\n`;
}

function byStart(left: Span, right: Span): number {
  if (left.startedAt !== right.startedAt) return left.startedAt < right.startedAt ? -1 : 1;
  return left.key < right.key ? -1 : 1;
}

function wordsOf(span: Span): string | undefined {
  switch (span.kind) {
    case 'agent':
      return `agent ${span.agentName} ${span.outcome}`;
    case 'llm':
      return [
        `llm ${span.purpose} ${span.requestId ?? span.messageId ?? '-'} ${span.requestModel}`,
        ...(span.usage?.inputTokens === undefined ? [] : [`in=${span.usage.inputTokens}`]),
        ...(span.usage?.outputTokens === undefined ? [] : [`out=${span.usage.outputTokens}`]),
        ...(span.costUsd === undefined ? [] : [`cost=${span.costUsd.toFixed(6)}`]),
        span.status,
      ].join(' ');
    case 'tool':
      return `tool ${span.toolName} ${span.toolCallId} ${span.denied === undefined ? span.status : 'denied'}${span.inBackground ? ' background' : ''}`;
    case 'permission':
      return `permission ${span.decision} ${span.decidedBy}`;
    case 'hook':
    case 'custom':
      return undefined;
  }
}
