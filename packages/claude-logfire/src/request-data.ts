import { plainOrJsonText } from '@spanprism/core/dialect';
import type { ContentBlock, Json, LlmSpan, Message } from '@spanprism/core';

type Fields = Readonly<Record<string, Json>>;

/** What was asked, as Logfire's own Anthropic integration keeps it: the body of the request as far as it is known and may be seen. */
export function requestData({ requestModel, input, systemInstructions, toolDefinitions }: LlmSpan): Fields {
  return {
    model: requestModel,
    ...(input === undefined ? {} : { messages: input.map(rawMessage) }),
    ...(systemInstructions === undefined ? {} : { system: systemInstructions.map((text) => ({ type: 'text', text })) }),
    ...(toolDefinitions === undefined ? {} : { tools: toolDefinitions.map(rawTool) }),
  };
}

/**
 * What was answered, in the shape of the same integration. Its `usage` is left out: the figures have attributes of their own,
 * and theirs count without the cache.
 */
export function responseData({ output }: LlmSpan): Fields | undefined {
  if (output === undefined) return undefined;
  const blocks = output.flatMap(({ content }) => content);
  const texts = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  const calls = blocks.flatMap((block) => (block.type === 'tool_use' ? [toolCall(block)] : []));
  return {
    message: {
      role: 'assistant',
      ...(texts.length === 0 ? {} : { content: texts.join('\n') }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  };
}

// The arguments are JSON within JSON, below `input`.
function toolCall({ id, name, input }: Extract<ContentBlock, { type: 'tool_use' }>): Fields {
  return { id, function: { name, arguments: plainOrJsonText({ input }) ?? '{}' } };
}

function rawMessage({ role, content }: Message): Fields {
  return { role, content: content.map(rawBlock) };
}

function rawTool({ name, description, inputSchema }: NonNullable<LlmSpan['toolDefinitions']>[number]): Fields {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { input_schema: inputSchema }),
  };
}

/** A block as the Messages API spells it. */
function rawBlock(block: ContentBlock): Json {
  switch (block.type) {
    case 'text':
    case 'thinking':
    case 'tool_use':
      return block;
    case 'tool_result':
      return {
        type: block.type,
        tool_use_id: block.toolUseId,
        content: block.content ?? '',
        ...(block.isError ? { is_error: true } : {}),
      };
    case 'other':
      return isRedacted(block.raw) ? { type: 'redacted_thinking' } : block.raw;
  }
}

/** What the model keeps to itself is of no use to anybody here. */
function isRedacted(raw: Json): boolean {
  return typeof raw === 'object' && raw !== null && 'type' in raw && raw.type === 'redacted_thinking';
}
