import { oneLine } from '../model/one-line.ts';
import type { LlmSpan, Span, ToolSpan } from '../model/span.ts';
import { type SpanBranch, spanTrees } from './span-tree.ts';

export interface TreeTextOptions {
  /** Show hook spans too. */
  readonly hooks?: boolean;
}

/** A trace as stable text, without times or minted ids: what golden files hold. Two spaces per level, one span per line. */
export function treeText(spans: readonly Span[], options: TreeTextOptions = {}): string {
  const lines: string[] = [];
  const write = ({ span, children }: SpanBranch, depth: number): void => {
    if (span.kind === 'hook' && options.hooks !== true) return;
    lines.push(`${'  '.repeat(depth)}${oneLine(line(span))}`);
    for (const child of children) write(child, depth + 1);
  };
  for (const root of spanTrees(spans)) write(root, 0);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function line(span: Span): string {
  switch (span.kind) {
    case 'agent':
      return `agent ${span.role === 'main' ? 'main' : span.agentName} ${span.outcome}`;
    case 'llm':
      return llmLine(span);
    case 'tool':
      return toolLine(span);
    case 'permission':
      return `permission ${span.decision} ${span.decidedBy}`;
    case 'hook':
      return `hook ${span.hookEvent} ${span.hookName}`;
    case 'custom':
      return `custom ${span.name} ${span.status}`;
  }
}

function llmLine(span: LlmSpan): string {
  const { usage, costUsd } = span;
  const figures = [
    usage?.inputTokens === undefined ? '' : ` in=${usage.inputTokens}`,
    usage?.outputTokens === undefined ? '' : ` out=${usage.outputTokens}`,
    costUsd === undefined ? '' : ` cost=${costUsd.toFixed(6)}`,
  ].join('');
  return `llm ${span.purpose} ${span.requestId ?? span.messageId ?? '-'} ${span.responseModel ?? span.requestModel}${figures} ${span.status}`;
}

function toolLine(span: ToolSpan): string {
  const outcome = span.denied === undefined ? span.status : 'denied';
  return `tool ${span.toolName} ${span.toolCallId} ${outcome}${span.inBackground ? ' background' : ''}`;
}
