import {
  chatMessages,
  finishReason,
  instructionParts,
  outputMessages,
  toolDefinitionParts,
} from '@spanprism/core/dialect';
import type { CapturedSpan, Json, LlmSpan } from '@spanprism/core';

interface Content {
  readonly input?: Json;
  readonly output?: Json;
}

/** What was captured: messages as the GenAI conventions have them, which Langfuse draws as a conversation. */
export function contentOf(span: CapturedSpan): Content {
  switch (span.kind) {
    case 'agent':
      return { input: span.input && chatMessages(span.input), output: span.output && outputMessages(span.output) };
    case 'llm': {
      const reason = span.stopReason === undefined ? undefined : finishReason(span.stopReason);
      return { input: requestOf(span), output: span.output && outputMessages(span.output, reason) };
    }
    case 'tool':
      return { input: span.input, output: span.output };
    case 'permission':
    case 'hook':
    case 'custom':
      return {};
  }
}

/** Langfuse has no fields for instructions and tools: it looks for both in the input. */
function requestOf({ input, systemInstructions, toolDefinitions }: LlmSpan): Json {
  const system = systemInstructions && [{ role: 'system', parts: instructionParts(systemInstructions) }];
  const messages = [...(system ?? []), ...chatMessages(input ?? [])];
  if (toolDefinitions !== undefined) return { messages, tools: toolDefinitionParts(toolDefinitions) };
  return (input ?? system) && messages;
}
