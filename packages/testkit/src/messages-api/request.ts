import { asArray, asNumber, asObject, asString, type JsonObject, parseJson } from '../json.ts';
import { readPurpose, type RequestPurpose } from './purpose.ts';

/** One `tool_result` block of the last user message. `text` still has the reminders that the CLI appends. */
export interface ToolResult {
  readonly toolUseId: string;
  readonly text: string;
  readonly isError: boolean;
}

/** A request to the scripted API, read once; rules decide by these fields. */
export interface MessagesRequest {
  readonly method: string;
  /** Path without the query string. */
  readonly path: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly purpose: RequestPurpose;
  readonly model: string;
  /** Whether the answer is wanted as server-sent events. */
  readonly isStreaming: boolean;
  readonly sessionId?: string;
  /** Only on requests of a subagent. */
  readonly agentId?: string;
  /** Only on requests of a subagent of a subagent. */
  readonly parentAgentId?: string;
  readonly toolNames: readonly string[];
  readonly systemText: string;
  /** First text of the conversation that is no reminder: the prompt, or the task of a subagent. */
  readonly firstUserText?: string;
  /** Last text of the last user message that is no reminder; absent when it only carries tool results. */
  readonly lastUserText?: string;
  /** The reminders of the last user message. Task notifications arrive in one of them. */
  readonly reminders: readonly string[];
  readonly toolResults: readonly ToolResult[];
}

/** What came over the socket, before it is understood. */
export interface IncomingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>/g;

/** Reads a request; a body that is no JSON object reads as an empty one. */
export function readMessagesRequest(incoming: IncomingRequest): MessagesRequest {
  const { method, url, headers } = incoming;
  const body = asObject(parseJson(incoming.body));
  const path = url.split('?')[0] ?? url;
  const userMessages = asArray(body['messages'])
    .map(asObject)
    .filter((message) => message['role'] === 'user');
  const last = contentBlocks(userMessages.at(-1)?.['content']);
  const lastTexts = plainTexts(last);
  const firstUserText = plainTexts(contentBlocks(userMessages[0]?.['content'])).at(-1);
  const lastUserText = lastTexts.at(-1);
  return {
    method,
    path,
    url,
    headers,
    body,
    purpose: readPurpose({ path, body, lastUserText: lastUserText ?? '' }),
    model: asString(body['model']) ?? '',
    isStreaming: body['stream'] === true,
    ...readSender(headers),
    toolNames: asArray(body['tools']).flatMap((tool) => asString(asObject(tool)['name']) ?? []),
    systemText: textsOf(contentBlocks(body['system'])).join('\n'),
    ...(firstUserText === undefined ? {} : { firstUserText }),
    ...(lastUserText === undefined ? {} : { lastUserText }),
    reminders: textsOf(last).flatMap((text) => text.match(REMINDER) ?? []),
    toolResults: last.filter((block) => block['type'] === 'tool_result').map(readToolResult),
  };
}

/** A request in a few readable lines, for messages about requests that no rule expected. */
export function printRequest(request: MessagesRequest): string {
  const { body } = request;
  const agent = request.agentId === undefined ? 'main' : `subagent ${request.agentId}`;
  const results = request.toolResults.map((result) => `${result.toolUseId}: ${clip(result.text)}`);
  return [
    `${request.method} ${request.url}`,
    `  model      ${request.model} (${request.isStreaming ? 'streaming' : 'not streaming'}, max_tokens ${asNumber(body['max_tokens']) ?? '?'})`,
    `  purpose    ${request.purpose}`,
    `  agent      ${agent}, session ${request.sessionId ?? '?'}`,
    `  first text ${clip(request.firstUserText ?? '(none)')}`,
    `  last text  ${clip(request.lastUserText ?? '(none)')}`,
    ...results.map((line) => `  result of  ${line}`),
    `  messages   ${asArray(body['messages']).length}`,
    `  tools      ${request.toolNames.join(', ') || '(none)'}`,
  ].join('\n');
}

function readSender(
  headers: Readonly<Record<string, string>>,
): Pick<MessagesRequest, 'sessionId' | 'agentId' | 'parentAgentId'> {
  const sessionId = headers['x-claude-code-session-id'];
  const agentId = headers['x-claude-code-agent-id'];
  const parentAgentId = headers['x-claude-code-parent-agent-id'];
  return {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(agentId === undefined ? {} : { agentId }),
    ...(parentAgentId === undefined ? {} : { parentAgentId }),
  };
}

function readToolResult(block: JsonObject): ToolResult {
  return {
    toolUseId: asString(block['tool_use_id']) ?? '',
    text: textsOf(contentBlocks(block['content'])).join('\n'),
    isError: block['is_error'] === true,
  };
}

/** Content is a string or blocks, for messages, the system prompt and tool results alike. */
function contentBlocks(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return asArray(content).map(asObject);
}

function textsOf(blocks: readonly JsonObject[]): readonly string[] {
  return blocks.flatMap((block) => (block['type'] === 'text' ? (asString(block['text']) ?? []) : []));
}

function plainTexts(blocks: readonly JsonObject[]): readonly string[] {
  return textsOf(blocks)
    .map((text) => text.replace(REMINDER, '').trim())
    .filter((text) => text !== '');
}

function clip(text: string): string {
  const line = JSON.stringify(text);
  return line.length > 300 ? `${line.slice(0, 300)}… (${text.length} characters)` : line;
}
