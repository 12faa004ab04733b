import type { ContentBlock, Json, Message, ToolDefinition } from '../model/message.ts';

/** One part of a message in the JSON schema of the GenAI conventions; further fields are allowed everywhere. */
export interface Part {
  readonly type: string;
  readonly [field: string]: Json;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly Part[];
  readonly finish_reason?: string;
}

/** Anthropic's stop reasons in the words of the schema; what it has no word for stays as it is. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_call',
  refusal: 'content_filter',
};

export function finishReason(stopReason: string): string {
  return Object.hasOwn(FINISH_REASONS, stopReason) ? (FINISH_REASONS[stopReason] ?? stopReason) : stopReason;
}

/** In the order sent. Anthropic carries tool results in user messages; the schema gives them the role `tool`. */
export function chatMessages(messages: readonly Message[]): readonly ChatMessage[] {
  return messages.flatMap((message) => splitByRole(message));
}

/** Answers of the model; `finish_reason` where the version of the conventions wants one. */
export function outputMessages(messages: readonly Message[], reason?: string): readonly ChatMessage[] {
  const answers = chatMessages(messages);
  return reason === undefined ? answers : answers.map((answer) => ({ ...answer, finish_reason: reason }));
}

export function instructionParts(instructions: readonly string[]): readonly Part[] {
  return instructions.map((content) => ({ type: 'text', content }));
}

export function toolDefinitionParts(definitions: readonly ToolDefinition[]): readonly Part[] {
  return definitions.map(({ name, description, inputSchema }) => ({
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { parameters: inputSchema }),
  }));
}

function splitByRole(message: Message): ChatMessage[] {
  const messages: { role: ChatMessage['role']; parts: Part[] }[] = [];
  for (const block of message.content) {
    const role = block.type === 'tool_result' ? 'tool' : message.role;
    const last = messages.at(-1);
    if (last?.role === role) last.parts.push(partOf(block));
    else messages.push({ role, parts: [partOf(block)] });
  }
  // A message without content was still sent.
  return messages.length === 0 ? [{ role: message.role, parts: [] }] : messages;
}

function partOf(block: ContentBlock): Part {
  switch (block.type) {
    case 'text':
      return { type: 'text', content: block.text };
    case 'thinking':
      return { type: 'reasoning', content: block.thinking };
    case 'tool_use':
      return { type: 'tool_call', id: block.id, name: block.name, arguments: block.input };
    case 'tool_result':
      return {
        type: 'tool_call_response',
        id: block.toolUseId,
        response: block.content ?? null,
        ...(block.isError ? { is_error: true } : {}),
      };
    case 'other':
      return foreignPart(block.raw);
  }
}

type Fields = Readonly<Record<string, Json>>;

function isFields(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Blocks that the model of a message does not name: their Anthropic type decides, unknown ones stay whole. */
function foreignPart(raw: Json): Part {
  if (!isFields(raw) || typeof raw['type'] !== 'string') return { type: 'unknown', content: raw ?? null };
  const { type } = raw;
  if (type === 'redacted_thinking') return { type };
  if (type === 'image' || type === 'document') return mediaPart(raw, type);
  if (type === 'compaction') return { type, content: typeof raw['content'] === 'string' ? raw['content'] : null };
  if (type === 'server_tool_use' || type === 'mcp_tool_use') return serverCallPart(raw, type);
  // web_search_tool_result, code_execution_tool_result, mcp_tool_result …
  if (type.endsWith('_tool_result')) return serverResponsePart(raw, type);
  return { ...raw, type };
}

function serverCallPart(raw: Fields, type: string): Part {
  const name = typeof raw['name'] === 'string' ? raw['name'] : type;
  const input = isFields(raw['input']) ? raw['input'] : { input: raw['input'] ?? null };
  return { type: 'server_tool_call', id: raw['id'] ?? null, name, server_tool_call: { ...input, type: name } };
}

function serverResponsePart(raw: Fields, type: string): Part {
  const response = { type, content: raw['content'] ?? null };
  return { type: 'server_tool_call_response', id: raw['tool_use_id'] ?? null, server_tool_call_response: response };
}

function mediaPart(raw: Fields, modality: 'image' | 'document'): Part {
  const source = isFields(raw['source']) ? raw['source'] : {};
  const mime = typeof source['media_type'] === 'string' ? { mime_type: source['media_type'] } : {};
  if (source['type'] === 'base64' && typeof source['data'] === 'string') {
    return { type: 'blob', modality, content: source['data'], ...mime };
  }
  if (source['type'] === 'url' && typeof source['url'] === 'string')
    return { type: 'uri', modality, uri: source['url'] };
  if (source['type'] === 'file' && typeof source['file_id'] === 'string') {
    return { type: 'file', modality, file_id: source['file_id'] };
  }
  if (source['type'] === 'text' && typeof source['data'] === 'string') return { type: 'text', content: source['data'] };
  return { ...raw, type: modality };
}
