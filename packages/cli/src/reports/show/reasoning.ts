import type { CapturedSpan, LlmSpan, ToolSpan } from '@spanprism/core';
import { messagesText, thinkingText } from '../span-content.ts';

/** What led to a tool call: the answer that asked for it. */
export interface Reasoning {
  readonly llmSpanId: string;
  readonly thinking: string;
  readonly text: string;
  /** UTF-8 bytes of the whole answer, where it was not captured. */
  readonly uncapturedBytes?: number;
}

/** Of each tool call that failed or was denied, by the id of its span. */
export function reasonings(spans: readonly CapturedSpan[]): ReadonlyMap<string, Reasoning> {
  const calls = spans.filter((span) => span.kind === 'llm');
  const found: Map<string, Reasoning> = new Map();
  for (const span of spans) {
    if (span.kind !== 'tool' || span.status !== 'error') continue;
    const call = callBefore(span, calls);
    if (call === undefined) continue;
    found.set(span.spanId, {
      llmSpanId: call.spanId,
      thinking: thinkingText(call.output),
      text: messagesText(call.output),
      ...(call.output === undefined ? { uncapturedBytes: call.contentBytes.output ?? 0 } : {}),
    });
  }
  return found;
}

/** By the link, else by the request for this very tool call, else the last call of the same agent that had begun by then. */
function callBefore(tool: ToolSpan, calls: readonly CapturedSpan<LlmSpan>[]): CapturedSpan<LlmSpan> | undefined {
  return (
    calls.find(({ spanId }) => spanId === tool.requestedByLlmSpanId) ??
    calls.find((call) => asksFor(call, tool.toolCallId)) ??
    calls
      .filter(({ parentSpanId, startedAt }) => parentSpanId === tool.parentSpanId && startedAt <= tool.startedAt)
      .toSorted((left, right) => (left.startedAt < right.startedAt ? -1 : 1))
      .at(-1)
  );
}

function asksFor({ output = [] }: LlmSpan, toolCallId: string): boolean {
  return output.some(({ content }) => content.some((block) => block.type === 'tool_use' && block.id === toolCallId));
}
