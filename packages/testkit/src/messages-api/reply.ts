import type { JsonObject } from '../json.ts';

/** Token counts as the Messages API spells them: `input_tokens` without the cached parts. */
export interface WireUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation?: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number };
  readonly output_tokens_details?: { readonly thinking_tokens: number };
  readonly server_tool_use?: { readonly web_search_requests: number };
}

/** A content block of an answer and the pieces it is streamed in. */
export interface Block {
  /** The whole block, as a non-streaming answer has it. */
  readonly content: JsonObject;
  /** The block as `content_block_start` shows it. */
  readonly opening: JsonObject;
  /** Its deltas; without `fixed`, long ones are cut into pieces of `deltaChars`. */
  readonly deltas: readonly BlockDelta[];
}

export interface BlockDelta {
  readonly type: 'text_delta' | 'thinking_delta' | 'signature_delta' | 'input_json_delta';
  readonly field: 'text' | 'thinking' | 'signature' | 'partial_json';
  readonly value: string;
  /** The value goes out in one piece. */
  readonly fixed: boolean;
}

/** How a stream ends, and where: before anything is sent, within its last block, or after it. */
export type Ending =
  | { readonly kind: 'complete' }
  | { readonly kind: 'error'; readonly at: EndingPlace; readonly errorType: string; readonly message: string }
  | { readonly kind: 'cut'; readonly at: EndingPlace }
  | { readonly kind: 'hang'; readonly at: EndingPlace };

export type EndingPlace = 'start' | 'insideBlock' | 'afterBlock';

/** Options that every answer with content takes. Lengths in milliseconds, 0 unless given. */
export interface AnswerOptions {
  /** Final figures, sent in `message_delta`. The start shows the same with `output_tokens` 1. */
  readonly usage?: WireUsage;
  /** Unless given: `tool_use` if the answer asks for a tool, else `end_turn`. */
  readonly stopReason?: string;
  readonly stopDetails?: JsonObject;
  /** Instead of the model that was asked for. */
  readonly model?: string;
  readonly messageId?: string;
  readonly requestId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Before the response headers. */
  readonly delayMs?: number;
  /** Before each content block. */
  readonly perBlockMs?: number;
  /** Before each delta. */
  readonly perDeltaMs?: number;
  /** Characters in one delta; 24 unless given. */
  readonly deltaChars?: number;
  readonly gzip?: boolean;
}

/** An answer with content. */
export interface Answer extends AnswerOptions {
  readonly kind: 'answer';
  readonly blocks: readonly Block[];
  readonly ending: Ending;
}

/** An answer with a status of 4xx or 5xx. */
export interface ApiError {
  readonly kind: 'apiError';
  readonly status: number;
  readonly errorType: string;
  readonly message: string;
  readonly requestId?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly delayMs: number;
}

export type Reply = Answer | ApiError;

/** The figures of an answer that was given none. */
export const DEFAULT_USAGE: WireUsage = {
  input_tokens: 1200,
  output_tokens: 42,
  cache_creation_input_tokens: 300,
  cache_read_input_tokens: 4000,
};

/** A text block. An array gives the deltas exactly, also to split a surrogate pair. */
export function text(value: string | readonly string[]): Block {
  const pieces = typeof value === 'string' ? [value] : value;
  const content = { type: 'text', text: pieces.join('') };
  return { content, opening: { type: 'text', text: '' }, deltas: deltasOf('text', value) };
}

/** A thinking block with its signature. */
export function thinking(value: string | readonly string[], signature = 'c2lnbmF0dXJl'): Block {
  const pieces = typeof value === 'string' ? [value] : value;
  const signed: BlockDelta = { type: 'signature_delta', field: 'signature', value: signature, fixed: true };
  return {
    content: { type: 'thinking', thinking: pieces.join(''), signature },
    opening: { type: 'thinking', thinking: '', signature: '' },
    deltas: [...deltasOf('thinking', value), signed],
  };
}

/** A tool call. `partialJson` gives the deltas exactly, also as text that is no valid JSON. */
export function toolUse(call: {
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly partialJson?: readonly string[];
}): Block {
  const { id, name, input } = call;
  return {
    content: { type: 'tool_use', id, name, input },
    opening: { type: 'tool_use', id, name, input: {} },
    deltas: deltasOf('partial_json', call.partialJson ?? JSON.stringify(input)),
  };
}

/** Any other block, sent whole at its start, as server tools and their results are. */
export function rawBlock(content: JsonObject): Block {
  return { content, opening: content, deltas: [] };
}

/** A complete answer. */
export function answer(blocks: Block | readonly Block[], options: AnswerOptions = {}): Answer {
  return { ...options, kind: 'answer', blocks: blockList(blocks), ending: { kind: 'complete' } };
}

/** An answer that the model declines. */
export function refusal(
  options: AnswerOptions & { readonly blocks?: readonly Block[]; readonly category?: string } = {},
): Answer {
  const { blocks = [text('I cannot')], category = 'cyber', ...rest } = options;
  const stopDetails = { type: 'refusal', category, explanation: 'Not allowed' };
  return answer(blocks, { stopReason: 'refusal', stopDetails, ...rest });
}

/** Options of an answer that is not finished: what of it is sent. With no blocks it ends at the start. */
export interface UnfinishedOptions extends AnswerOptions {
  readonly blocks?: readonly Block[];
  /** `insideBlock` unless given, if there are blocks. */
  readonly at?: EndingPlace;
}

/** A stream that breaks off with an `error` event. */
export function streamError(
  options: UnfinishedOptions & { readonly errorType?: string; readonly message?: string } = {},
): Answer {
  const { errorType = 'overloaded_error', message = 'Overloaded', ...rest } = options;
  return unfinished(rest, { kind: 'error', at: placeOf(rest), errorType, message });
}

/** A connection that is cut: `at: 'start'` before any byte of the response. */
export function cut(options: UnfinishedOptions = {}): Answer {
  return unfinished(options, { kind: 'cut', at: placeOf(options) });
}

/** A response that never ends; it is over when the client goes away or the server closes. */
export function hang(options: UnfinishedOptions = {}): Answer {
  return unfinished(options, { kind: 'hang', at: placeOf(options) });
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

export interface ApiErrorOptions {
  readonly message?: string;
  readonly errorType?: string;
  /** Seconds, sent as `retry-after`. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly requestId?: string;
  readonly delayMs?: number;
}

/** An error response. Its type follows from the status unless given. */
export function apiError(status: number, options: ApiErrorOptions = {}): ApiError {
  const retryAfter = options.retryAfter === undefined ? {} : { 'retry-after': String(options.retryAfter) };
  return {
    kind: 'apiError',
    status,
    errorType: options.errorType ?? ERROR_TYPES[status] ?? 'api_error',
    message: options.message ?? `scripted ${status}`,
    headers: { ...options.headers, ...retryAfter },
    delayMs: options.delayMs ?? 0,
    ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
  };
}

/** The stop reason that an answer reports. */
export function stopReasonOf(reply: Answer): string {
  const asksForTool = reply.blocks.some((block) => block.content['type'] === 'tool_use');
  return reply.stopReason ?? (asksForTool ? 'tool_use' : 'end_turn');
}

function unfinished(options: UnfinishedOptions, ending: Ending): Answer {
  const { blocks = [], at: _, ...rest } = options;
  return { ...rest, kind: 'answer', blocks, ending };
}

function placeOf(options: UnfinishedOptions): EndingPlace {
  return options.at ?? (options.blocks?.length ? 'insideBlock' : 'start');
}

function blockList(blocks: Block | readonly Block[]): readonly Block[] {
  return 'content' in blocks ? [blocks] : blocks;
}

const DELTA_TYPES = { text: 'text_delta', thinking: 'thinking_delta', partial_json: 'input_json_delta' } as const;

function deltasOf(field: keyof typeof DELTA_TYPES, value: string | readonly string[]): readonly BlockDelta[] {
  const pieces = typeof value === 'string' ? [value] : value;
  return pieces.map((piece) => ({ type: DELTA_TYPES[field], field, value: piece, fixed: typeof value !== 'string' }));
}
