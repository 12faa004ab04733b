import type { ContentBlock, Message } from '../model/message.ts';
import type { CapturePolicy } from './policy.ts';
import { contentBytes, type TextCleaner } from './text.ts';

export interface MessageView {
  readonly policy: CapturePolicy;
  readonly cleaner: TextCleaner;
}

interface BlockView extends MessageView {
  readonly role: Message['role'];
  /** Names of the tools that these messages call, by call. */
  readonly toolNames: ReadonlyMap<string, string>;
}

/** Messages with only those blocks that may be seen; a message without any is left out, and so are messages if none is left. */
export function captureMessages(messages: readonly Message[], view: MessageView): readonly Message[] | undefined {
  // The default costs no walk.
  if (!view.policy.anyContent) return undefined;
  const toolNames = toolNamesOf(messages);
  const kept = messages.flatMap(({ role, content }): Message[] => {
    const blocks = content.flatMap((block) => captureBlock(block, { ...view, role, toolNames }) ?? []);
    return blocks.length === 0 ? [] : [{ role, content: blocks }];
  });
  return kept.length === 0 ? undefined : kept;
}

/** Whose words they are decides, not which way the message goes: history holds answers among the input. */
const WORDS_OF = {
  system: 'systemInstructions',
  user: 'prompts',
  assistant: 'outputs',
} as const satisfies Record<Message['role'], keyof CapturePolicy>;

function captureBlock(block: ContentBlock, view: BlockView): ContentBlock | undefined {
  const { policy, cleaner, role } = view;
  const hasWords = policy[WORDS_OF[role]];
  switch (block.type) {
    case 'text':
      return hasWords ? { type: 'text', text: cleaner.text(block.text) } : undefined;
    case 'thinking':
      return hasWords && policy.thinking ? { type: 'thinking', thinking: cleaner.text(block.thinking) } : undefined;
    case 'tool_use':
      return policy.toolInputs(block.name)
        ? { ...block, name: cleaner.name(block.name), input: cleaner.json(block.input) }
        : undefined;
    case 'tool_result':
      return policy.toolOutputs(view.toolNames.get(block.toolUseId))
        ? { ...block, content: cleaner.json(block.content) }
        : undefined;
    case 'other':
      return maySeeOther(block.raw, view) ? { type: 'other', raw: cleaner.json(block.raw) } : undefined;
  }
}

/** Blocks that the model does not name one by one still say by their type what they hold. */
function maySeeOther(raw: unknown, { policy, role }: BlockView): boolean {
  const { type, name } =
    typeof raw === 'object' && raw !== null ? (raw as { readonly type?: unknown; readonly name?: unknown }) : {};
  const kind = typeof type === 'string' ? type : '';
  if (kind.endsWith('tool_use')) return policy.toolInputs(typeof name === 'string' ? name : undefined);
  if (kind.endsWith('tool_result')) return policy.toolOutputs(undefined);
  return policy[WORDS_OF[role]] && (policy.thinking || !kind.includes('thinking'));
}

function toolNamesOf(messages: readonly Message[]): ReadonlyMap<string, string> {
  const names: Map<string, string> = new Map();
  for (const { content } of messages) {
    for (const block of content) if (block.type === 'tool_use') names.set(block.id, block.name);
  }
  return names;
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
