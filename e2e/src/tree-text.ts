import type { Span } from '@spanprism/core';

/** Traces as a tree in words, one line per span, siblings in the order of their start. Steps and hooks are not listed. */
export function treeText(spans: readonly Span[]): string {
  const ids = new Set(spans.map((span) => span.spanId));
  const isRoot = (span: Span): boolean => span.parentSpanId === undefined || !ids.has(span.parentSpanId);
  const lines = (siblings: readonly Span[], depth: number): string[] =>
    siblings.toSorted(byStart).flatMap((span) => {
      const children = spans.filter((child) => child.parentSpanId === span.spanId);
      const words = wordsOf(span);
      const own = words === undefined ? [] : [`${'  '.repeat(depth)}${words}`];
      return [...own, ...lines(children, words === undefined ? depth : depth + 1)];
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
    case 'tool': {
      const status = span.denied === undefined ? span.status : 'denied';
      return `tool ${span.toolName} ${span.toolCallId} ${status}${span.inBackground ? ' background' : ''}`;
    }
    case 'permission':
      return `permission ${span.decision} ${span.decidedBy}`;
    case 'hook':
    case 'custom':
      return undefined;
  }
}
