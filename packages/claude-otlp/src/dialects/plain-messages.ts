import type { ContentBlock, Json, Message } from '@spanprism/core';

/** A message as Anthropic's API has it, which backends show that know that API but not the conventions' messages. */
export interface PlainMessage {
  readonly role: string;
  readonly content: string | readonly Json[];
}

export function plainMessages(messages: readonly Message[]): readonly PlainMessage[] {
  return messages.map(({ role, content }) => ({ role, content: onlyText(content) ?? content.map(plainBlock) }));
}

/** The words of a message that is nothing but one text. */
export function onlyText(content: readonly ContentBlock[]): string | undefined {
  const [first] = content;
  return content.length === 1 && first?.type === 'text' ? first.text : undefined;
}

function plainBlock(block: ContentBlock): Json {
  switch (block.type) {
    case 'text':
    case 'thinking':
      return { ...block };
    case 'tool_use':
      return { type: block.type, id: block.id, name: block.name, input: block.input };
    case 'tool_result':
      return {
        type: block.type,
        tool_use_id: block.toolUseId,
        content: block.content ?? null,
        ...(block.isError ? { is_error: true } : {}),
      };
    case 'other':
      return isRedacted(block.raw) ? { type: 'redacted_thinking' } : block.raw;
  }
}

/** Sealed for the API alone: long, and of no use to anybody else. */
function isRedacted(raw: Json): boolean {
  return typeof raw === 'object' && raw !== null && 'type' in raw && raw.type === 'redacted_thinking';
}
