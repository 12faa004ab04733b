import type { ContentBlock, Message } from '../../model/message.ts';
import { type Totals, type Usage, addUsage, costOf, usageFromExclusive } from '../../model/usage.ts';
import { type Fields, fieldsOf, listIn, numberIn, numberOf, stringIn, stringOf } from './guards.ts';

/** An Anthropic content block; what this version does not know is kept whole. */
export function readBlock(value: unknown): ContentBlock {
  const block = fieldsOf(value);
  switch (block?.['type']) {
    case 'text':
      return { type: 'text', text: stringOf(block['text']) ?? '' };
    case 'thinking':
      return { type: 'thinking', thinking: stringOf(block['thinking']) ?? '' };
    case 'tool_use': {
      const id = stringOf(block['id']);
      if (id === undefined) break;
      return { type: 'tool_use', id, name: stringOf(block['name']) ?? 'unknown', input: block['input'] };
    }
    case 'tool_result': {
      const toolUseId = stringOf(block['tool_use_id']);
      if (toolUseId === undefined) break;
      return { type: 'tool_result', toolUseId, content: block['content'], isError: block['is_error'] === true };
    }
  }
  return { type: 'other', raw: value };
}

/** A message's content: a string, or blocks. */
export function readBlocks(content: unknown): readonly ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content) || content.length === 0) return [];
  // Neither `map`, which would leave the holes of a sparse array in, nor `Array.from`, which is slow; a list that grows takes room for 16.
  if (content.length === 1) return [readBlock(content[0])];
  if (content.length === 2) return [readBlock(content[0]), readBlock(content[1])];
  const blocks: ContentBlock[] = [];
  for (let index = 0; index < content.length; index++) blocks.push(readBlock(content[index]));
  return blocks;
}

/** What a user sends: `{ type: 'user', message: { role, content } }`. */
export function readUserMessage(value: unknown): Message | undefined {
  const message = fieldsOf(fieldsOf(value)?.['message']);
  if (message === undefined) return undefined;
  const content = readBlocks(message['content']);
  return content.length === 0 ? undefined : { role: 'user', content };
}

/** `usage` as the Messages API writes it. */
export function readUsage(value: unknown): Usage | undefined {
  const usage = fieldsOf(value);
  if (usage === undefined) return undefined;
  const writes = fieldsOf(usage['cache_creation']);
  return usageFromExclusive({
    input: numberOf(usage['input_tokens']),
    output: numberOf(usage['output_tokens']),
    cacheRead: numberOf(usage['cache_read_input_tokens']),
    cacheWrite: numberOf(usage['cache_creation_input_tokens']),
    cacheWrite5m: numberOf(writes?.['ephemeral_5m_input_tokens']),
    cacheWrite1h: numberOf(writes?.['ephemeral_1h_input_tokens']),
    thinking: numberOf(fieldsOf(usage['output_tokens_details'])?.['thinking_tokens']),
  });
}

const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cacheWrite5m: 0, cacheWrite1h: 0 } as const;

/** `modelUsage`, or the undeclared `model_usage_since_last_result`: model by model, in camel case, with the cost. */
export function readModelUsage(value: unknown): Totals | undefined {
  const models = fieldsOf(value);
  if (models === undefined) return undefined;
  const known = Object.values(models).length === 0 ? NOTHING : { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let sum: Usage = usageFromExclusive(known) ?? {};
  let costUsd = 0;
  const byModel: Record<string, { usage: Usage; costUsd?: number }> = {};
  for (const [model, entry] of Object.entries(models)) {
    const part = readModel(entry);
    if (part === undefined) continue;
    sum = addUsage(sum, part.usage);
    costUsd += part.costUsd ?? 0;
    byModel[model] = part;
  }
  return { usage: sum, costUsd, byModel };
}

function readModel(value: unknown): { usage: Usage; costUsd?: number } | undefined {
  const model: Fields | undefined = fieldsOf(value);
  if (model === undefined) return undefined;
  const usage = usageFromExclusive({
    input: numberIn(model, 'inputTokens'),
    output: numberIn(model, 'outputTokens'),
    cacheRead: numberIn(model, 'cacheReadInputTokens'),
    cacheWrite: numberIn(model, 'cacheCreationInputTokens'),
    cacheWrite5m: numberIn(model, 'cacheCreationEphemeral5mInputTokens'),
    cacheWrite1h: numberIn(model, 'cacheCreationEphemeral1hInputTokens'),
    thinking: numberIn(model, 'thinkingTokens'),
  });
  const costUsd = costOf(numberIn(model, 'costUSD'));
  return { usage: usage ?? {}, ...(costUsd === undefined ? {} : { costUsd }) };
}

/** The text of the first text block. */
export function firstText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  for (const block of listIn({ content }, 'content')) {
    const text = stringIn(fieldsOf(block), 'text');
    if (text !== undefined) return text;
  }
  return undefined;
}
