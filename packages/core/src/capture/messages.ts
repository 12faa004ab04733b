import type { ContentBlock, Message } from '../model/message.ts';
import type { CapturePolicy } from './policy.ts';
import type { TextCleaner } from './text.ts';
import { contentBytes } from './text.ts';

export interface MessageView {
  readonly policy: CapturePolicy;
  readonly cleaner: TextCleaner;
  /** Whether words of this direction may be seen: prompts going in, outputs coming out. */
  readonly words: boolean;
}

/** Messages with only those blocks that may be seen; a message without any is left out, and so are messages if none is left. */
export function captureMessages(messages: readonly Message[], view: MessageView): readonly Message[] | undefined {
  const kept = messages.flatMap((message): Message[] => {
    const content = message.content.flatMap((block) => captureBlock(block, view) ?? []);
    return content.length === 0 ? [] : [{ role: message.role, content }];
  });
  return kept.length === 0 ? undefined : kept;
}

function captureBlock(block: ContentBlock, { policy, cleaner, words }: MessageView): ContentBlock | undefined {
  switch (block.type) {
    case 'text':
      return words ? { type: 'text', text: cleaner.text(block.text) } : undefined;
    case 'thinking':
      return words && policy.thinking ? { type: 'thinking', thinking: cleaner.text(block.thinking) } : undefined;
    case 'tool_use':
      return policy.toolInputs(block.name) ? { ...block, input: cleaner.json(block.input) } : undefined;
    case 'tool_result':
      // A result in a message does not name its tool: only a policy for all tools lets it through.
      return policy.toolOutputs('*') ? { ...block, content: cleaner.json(block.content) } : undefined;
    case 'other':
      return words ? { type: 'other', raw: cleaner.json(block.raw) } : undefined;
  }
}

/** UTF-8 bytes of the texts in messages. */
export function messageBytes(messages: readonly Message[]): number {
  let bytes = 0;
  for (const message of messages) for (const block of message.content) bytes += blockBytes(block);
  return bytes;
}

function blockBytes(block: ContentBlock): number {
  switch (block.type) {
    case 'text':
      return contentBytes(block.text);
    case 'thinking':
      return contentBytes(block.thinking);
    case 'tool_use':
      return contentBytes(block.input);
    case 'tool_result':
      return contentBytes(block.content);
    case 'other':
      return contentBytes(block.raw);
  }
}
