import { checkOneOf } from '../model/one-of.ts';
import type { CapturedSpan } from '../model/sink.ts';
import type { AgentSpan, LlmSpan, ToolSpan } from '../model/span.ts';
import { claudeEvents, putClaudeAttributes } from './claude-attributes.ts';
import { collectAttributes } from './dialect.ts';
import type { AttributeTaker, Dialect, DialectAttributes, DialectLink, DialectStatus } from './dialect.ts';
import { jsonText, plainOrJsonText } from './json-text.ts';
import { chatMessages, finishReason, instructionParts, outputMessages, toolDefinitionParts } from './messages.ts';
import { secondsBetween } from './seconds-between.ts';
import { ERROR_TYPE_OTHER, SEMCONV as S, SEMCONV_LATEST } from './semconv.ts';
import type { SemconvVersion } from './semconv.ts';
import { putUserAttributes } from './user-attributes.ts';

export interface GenaiDialectOptions {
  /** Which text of OpenTelemetry's GenAI conventions; `v1.41` is what backends read today and the default. */
  readonly version?: SemconvVersion;
  /** Whether a tool call hangs below its agent (default), beside the call that asked for it, or below that call. */
  readonly toolParent?: 'agent' | 'llm';
}

/** OpenTelemetry's GenAI semantic conventions, with everything they have no name for under `claude.`. */
export function genaiDialect({ version = 'v1.41', toolParent = 'agent' }: GenaiDialectOptions = {}): Dialect {
  checkOneOf('semconv', version, Object.keys(SPELLINGS));
  checkOneOf('toolParent', toolParent, ['agent', 'llm']);
  const spelling = SPELLINGS[version];
  const isBelowCall = (span: CapturedSpan): boolean => toolParent === 'llm' && asker(span) !== undefined;
  return {
    name: version === 'v1.41' ? 'genai' : 'genai-latest',
    spanName,
    spanKind: (span) => (span.kind === 'llm' ? 'client' : 'internal'),
    parentSpanId: (span) => (isBelowCall(span) ? asker(span) : span.parentSpanId),
    attributes: (span) => collectAttributes((into) => putAttributes(span, spelling, into)),
    putAttributes: (span, into) => putAttributes(span, spelling, into),
    status: statusOf,
    events: claudeEvents,
    links: (span) => (isBelowCall(span) ? NONE : askerLinks(span)),
  };
}

/** Where the versions of the conventions differ. */
interface Spelling {
  readonly cacheWriteTokens: string;
  /** The deprecated name of the provider: Logfire and LangSmith read it before the new one. */
  readonly system: string | undefined;
  readonly agentProvider: string | undefined;
  readonly agentId: string;
  readonly hasFinishReasonPerMessage: boolean;
}

const SPELLINGS: Readonly<Record<SemconvVersion, Spelling>> = {
  'v1.41': {
    cacheWriteTokens: S.ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    system: S.ATTR_GEN_AI_SYSTEM,
    agentProvider: S.ATTR_GEN_AI_PROVIDER_NAME,
    agentId: S.ATTR_GEN_AI_AGENT_ID,
    hasFinishReasonPerMessage: true,
  },
  latest: {
    cacheWriteTokens: SEMCONV_LATEST.ATTR_GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    system: undefined,
    agentProvider: undefined,
    // The newest text takes the agent's id and provider off the span of an agent that runs in this process.
    agentId: 'claude.agent.id',
    hasFinishReasonPerMessage: false,
  },
};

function spanName(span: CapturedSpan): string {
  switch (span.kind) {
    case 'agent':
      return named(S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT, span.agentName);
    case 'llm':
      return named(S.GEN_AI_OPERATION_NAME_VALUE_CHAT, span.requestModel);
    case 'tool':
      return named(S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL, span.toolName);
    case 'permission':
      return named('permission', span.toolName);
    case 'hook':
      return named('hook', span.hookEvent);
    case 'custom':
      return span.name;
  }
}

function named(operation: string, target: string): string {
  return target === '' ? operation : `${operation} ${target}`;
}

function putAttributes(span: CapturedSpan, spelling: Spelling, into: AttributeTaker): void {
  if (span.kind === 'agent') putAgentAttributes(span, spelling, into);
  else if (span.kind === 'llm') putLlmAttributes(span, spelling, into);
  else if (span.kind === 'tool') putToolAttributes(span, into);
  into.put(S.ATTR_GEN_AI_CONVERSATION_ID, span.sessionId);
  if (span.status === 'error') into.put(S.ATTR_ERROR_TYPE, span.error?.type ?? ERROR_TYPE_OTHER);
  putClaudeAttributes(span, into);
  putUserAttributes(span.attributes, into);
}

/** Never usage: backends would add it to that of the calls below. */
function putAgentAttributes(span: AgentSpan, spelling: Spelling, into: AttributeTaker): void {
  // The agent is Anthropic's whoever serves its model; who that was stands on each call.
  const provider = S.GEN_AI_PROVIDER_NAME_VALUE_ANTHROPIC;
  into.put(S.ATTR_GEN_AI_OPERATION_NAME, S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT);
  if (spelling.agentProvider !== undefined) into.put(spelling.agentProvider, provider);
  if (spelling.system !== undefined) into.put(spelling.system, provider);
  into.put(S.ATTR_GEN_AI_AGENT_NAME, span.agentName);
  into.put(spelling.agentId, span.agentId);
  into.put(S.ATTR_GEN_AI_REQUEST_MODEL, span.requestModel);
  into.put(S.ATTR_GEN_AI_INPUT_MESSAGES, span.input && jsonText(chatMessages(span.input)));
  into.put(S.ATTR_GEN_AI_OUTPUT_MESSAGES, span.output && jsonText(outputMessages(span.output)));
}

function putLlmAttributes(span: LlmSpan, spelling: Spelling, into: AttributeTaker): void {
  const { usage, firstTokenAt, stopReason } = span;
  const reason = stopReason === undefined ? undefined : finishReason(stopReason);
  into.put(S.ATTR_GEN_AI_OPERATION_NAME, S.GEN_AI_OPERATION_NAME_VALUE_CHAT);
  into.put(S.ATTR_GEN_AI_PROVIDER_NAME, span.provider);
  if (spelling.system !== undefined) into.put(spelling.system, span.provider);
  into.put(S.ATTR_GEN_AI_AGENT_NAME, span.agentName);
  into.put(S.ATTR_GEN_AI_REQUEST_MODEL, span.requestModel);
  if (firstTokenAt !== undefined) into.put(S.ATTR_GEN_AI_REQUEST_STREAM, true);
  into.put(S.ATTR_GEN_AI_RESPONSE_MODEL, span.responseModel);
  into.put(S.ATTR_GEN_AI_RESPONSE_ID, span.messageId ?? span.requestId);
  if (reason !== undefined) into.put(S.ATTR_GEN_AI_RESPONSE_FINISH_REASONS, [reason]);
  into.put(S.ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, secondsUntil(span, firstTokenAt));
  into.put(S.ATTR_GEN_AI_USAGE_INPUT_TOKENS, usage?.inputTokens);
  into.put(S.ATTR_GEN_AI_USAGE_OUTPUT_TOKENS, usage?.outputTokens);
  into.put(S.ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, usage?.cacheReadTokens);
  into.put(spelling.cacheWriteTokens, usage?.cacheWriteTokens);
  into.put(S.ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, usage?.thinkingTokens);
  putLlmContent(span, spelling.hasFinishReasonPerMessage ? (reason ?? cutReason(span)) : undefined, into);
}

function secondsUntil({ startedAt }: LlmSpan, at: LlmSpan['firstTokenAt']): number | undefined {
  return at === undefined ? undefined : secondsBetween(startedAt, at);
}

/** Of an answer that an error cut off; where it was not the model that stopped, only the message says so. */
function cutReason(span: LlmSpan): string | undefined {
  return span.status === 'error' ? 'error' : undefined;
}

function putLlmContent(span: LlmSpan, reasonPerMessage: string | undefined, into: AttributeTaker): void {
  const { input, output, systemInstructions, toolDefinitions } = span;
  into.put(S.ATTR_GEN_AI_SYSTEM_INSTRUCTIONS, systemInstructions && jsonText(instructionParts(systemInstructions)));
  into.put(S.ATTR_GEN_AI_TOOL_DEFINITIONS, toolDefinitions && jsonText(toolDefinitionParts(toolDefinitions)));
  into.put(S.ATTR_GEN_AI_INPUT_MESSAGES, input && jsonText(chatMessages(input)));
  into.put(S.ATTR_GEN_AI_OUTPUT_MESSAGES, output && jsonText(outputMessages(output, reasonPerMessage)));
}

function putToolAttributes(span: ToolSpan, into: AttributeTaker): void {
  into.put(S.ATTR_GEN_AI_OPERATION_NAME, S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL);
  into.put(S.ATTR_GEN_AI_TOOL_NAME, span.toolName);
  into.put(S.ATTR_GEN_AI_TOOL_CALL_ID, span.toolCallId);
  into.put(S.ATTR_GEN_AI_TOOL_TYPE, span.toolType);
  into.put(S.ATTR_GEN_AI_AGENT_NAME, span.agentName);
  if (span.input !== undefined) into.put(S.ATTR_GEN_AI_TOOL_CALL_ARGUMENTS, plainOrJsonText(span.input));
  if (span.output !== undefined) into.put(S.ATTR_GEN_AI_TOOL_CALL_RESULT, plainOrJsonText(span.output));
  // The conventions want the MCP facts on the tool's span where there is one, not on a second span.
  if (span.mcpServer !== undefined) into.put(S.ATTR_MCP_METHOD_NAME, S.MCP_METHOD_NAME_VALUE_TOOLS_CALL);
}

const UNSET: DialectStatus = { code: 'unset' };

// What was cancelled did not fail: it stays unset and has no `error.type`; `claude.cancelled` tells it from what went well.
function statusOf(span: CapturedSpan): DialectStatus {
  if (span.status !== 'error') return UNSET;
  const message = span.error?.message;
  return message === undefined || message === '' ? { code: 'error' } : { code: 'error', message };
}

function asker(span: CapturedSpan): ToolSpan['requestedByLlmSpanId'] {
  return span.kind === 'tool' ? span.requestedByLlmSpanId : undefined;
}

const NONE: readonly DialectLink[] = [];
const ASKED_FOR: DialectAttributes = { 'claude.link': 'requested_by' };

function askerLinks(span: CapturedSpan): readonly DialectLink[] {
  const spanId = asker(span);
  return spanId === undefined ? NONE : [{ spanId, attributes: ASKED_FOR }];
}
