/** JSON as it came from outside; never inspected without a guard. */
export type Json = unknown;

/**
 * One block of a message, in Anthropic's vocabulary. A block of a type that this version does not know is kept whole in `other`.
 */
export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: Json }
  | { readonly type: 'tool_result'; readonly toolUseId: string; readonly content: Json; readonly isError: boolean }
  | { readonly type: 'other'; readonly raw: Json };

/** Words, as against thoughts, calls and results. */
export function isText(block: ContentBlock): block is ContentBlock & { readonly type: 'text' } {
  return block.type === 'text';
}

/** One message to or from the model, in the order sent. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: readonly ContentBlock[];
}

/** A tool as the model was told of it; `inputSchema` only where the request itself was seen. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: Json;
}
