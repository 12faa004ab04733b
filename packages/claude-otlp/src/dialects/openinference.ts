import type { AgentSpan, CapturedSpan, LlmSpan, Message, SpanKind, ToolSpan } from '@spanprism/core';
import {
  chatMessages,
  claudeEvents,
  collectAttributes,
  exceptionEvents,
  genaiDialect,
  jsonText,
  plainOrJsonText,
  putClaudeAttributes,
  putUserAttributes,
  secondsBetween,
  userTags,
} from '@spanprism/core/dialect';
import type { AttributeTaker, Dialect } from '@spanprism/core/dialect';
import { putInputMessages, putOutputMessages } from './openinference-messages.ts';
import { onlyText } from './plain-messages.ts';
import { totalTokens } from './total-tokens.ts';

export interface OpenInferenceDialectOptions {
  /** Whether a tool call hangs below its agent (default) or below the call that asked for it. */
  readonly toolParent?: 'agent' | 'llm';
}

/**
 * OpenInference, as Phoenix, Arize and others read it (`@arizeai/openinference-semantic-conventions` 2.12), with everything it has
 * no name for under `claude.`. Tokens and costs stand on calls alone.
 */
export function openinferenceDialect(options: OpenInferenceDialectOptions = {}): Dialect {
  // The shape of the tree, names and states are the same whatever the attributes are called.
  const shape = genaiDialect(options);
  return {
    ...shape,
    name: 'openinference',
    // All is said in attributes: to OpenInference a model call is of the same kind as everything else.
    spanKind: () => 'internal',
    attributes: (span) => collectAttributes((into) => putAttributes(span, into)),
    putAttributes,
    events: (span) => [...claudeEvents(span), ...exceptionEvents(span)],
  };
}

const KINDS: Readonly<Record<SpanKind, string>> = {
  agent: 'AGENT',
  llm: 'LLM',
  tool: 'TOOL',
  permission: 'CHAIN',
  hook: 'CHAIN',
  custom: 'CHAIN',
};

// Messages come last: they are many attributes each, and where a backend limits their number the first ones stay.
function putAttributes(span: CapturedSpan, into: AttributeTaker): void {
  into.put('openinference.span.kind', KINDS[span.kind]);
  into.put('session.id', span.sessionId);
  if (span.kind === 'agent') putAgent(span, into);
  else if (span.kind === 'llm') putCall(span, into);
  else if (span.kind === 'tool') putTool(span, into);
  putClaudeAttributes(span, withoutCost(into));
  putTheirs(span, into);
  if (span.kind === 'llm') putCallContent(span, into);
}

/** The cost has a key of its own here. */
function withoutCost(into: AttributeTaker): AttributeTaker {
  return { put: (key, value) => (key === 'claude.cost_usd' ? undefined : into.put(key, value)) };
}

function putAgent(span: AgentSpan, into: AttributeTaker): void {
  into.put('agent.name', span.agentName);
  putValue('input', messagesValue(span.input), into);
  putValue('output', messagesValue(span.output), into);
}

/** Who serves the model, by the convention's name for the provider. */
const PROVIDERS: Readonly<Record<string, string>> = {
  'aws.bedrock': 'aws',
  'gcp.vertex_ai': 'google',
  'gcp.gen_ai': 'google',
  'azure.ai.inference': 'azure',
  'azure.ai.openai': 'azure',
};

function putCall(span: LlmSpan, into: AttributeTaker): void {
  const { usage, requestModel, responseModel, startedAt, firstTokenAt } = span;
  into.put('llm.model_name', responseModel ?? requestModel);
  into.put('llm.request.model_name', requestModel);
  into.put('llm.response.model_name', responseModel);
  into.put('llm.system', 'anthropic');
  into.put('llm.provider', PROVIDERS[span.provider] ?? span.provider);
  into.put('llm.finish_reason', span.stopReason);
  into.put('llm.token_count.prompt', usage?.inputTokens);
  into.put('llm.token_count.completion', usage?.outputTokens);
  into.put('llm.token_count.total', totalTokens(usage));
  into.put('llm.token_count.prompt_details.cache_read', usage?.cacheReadTokens);
  into.put('llm.token_count.prompt_details.cache_write', usage?.cacheWriteTokens);
  into.put('llm.token_count.completion_details.reasoning', usage?.thinkingTokens);
  into.put('llm.cost.total', span.costUsd);
  into.put('claude.message_id', span.messageId);
  into.put(
    'claude.seconds_to_first_chunk',
    firstTokenAt === undefined ? undefined : secondsBetween(startedAt, firstTokenAt),
  );
}

function putCallContent(span: LlmSpan, into: AttributeTaker): void {
  putValue('input', messagesValue(span.input), into);
  putValue('output', messagesValue(span.output), into);
  putOutputMessages(span, into);
  putInputMessages(span, into);
  span.toolDefinitions?.forEach(({ name, description, inputSchema }, index) => {
    const schema = { name, ...(description === undefined ? {} : { description }), input_schema: inputSchema };
    into.put(`llm.tools.${index}.tool.json_schema`, jsonText(schema));
  });
}

function putTool(span: ToolSpan, into: AttributeTaker): void {
  into.put('tool.name', span.toolName);
  into.put('tool.id', span.toolCallId);
  into.put('agent.name', span.agentName);
  putValue('input', anyValue(span.input), into);
  putValue('output', anyValue(span.output), into);
}

interface Value {
  readonly text: string | undefined;
  readonly mime: 'text/plain' | 'application/json';
}

function putValue(side: 'input' | 'output', value: Value | undefined, into: AttributeTaker): void {
  if (value?.text === undefined) return;
  into.put(`${side}.value`, value.text);
  into.put(`${side}.mime_type`, value.mime);
}

/** A text as it is: quoted once more, it would be shown with its escapes. */
function anyValue(value: unknown): Value | undefined {
  if (value === undefined) return undefined;
  return { text: plainOrJsonText(value), mime: typeof value === 'string' ? 'text/plain' : 'application/json' };
}

function messagesValue(messages: readonly Message[] | undefined): Value | undefined {
  const [first] = messages ?? [];
  if (messages === undefined || first === undefined) return undefined;
  const text = messages.length === 1 ? onlyText(first.content) : undefined;
  if (text !== undefined) return { text, mime: 'text/plain' };
  return { text: jsonText(chatMessages(messages)), mime: 'application/json' };
}

/** What OpenInference gives a meaning is not the user's to fill. */
const RESERVED =
  /^(agent|document|embedding|exception|graph|input|llm|message|metadata|openinference|output|prompt|reranker|retrieval|session|tag|tool)\./;

function putTheirs({ attributes }: CapturedSpan, into: AttributeTaker): void {
  const { tags: _, ...others } = attributes;
  const list = userTags(attributes);
  into.put('tag.tags', list);
  putUserAttributes(list === undefined ? attributes : others, into, (key) => RESERVED.test(key) || key === 'metadata');
}
