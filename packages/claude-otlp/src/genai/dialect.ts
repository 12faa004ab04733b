import type { AgentSpan, CapturedSpan, LlmSpan, ToolSpan } from '@spanprism/core';
import type { Dialect, DialectAttributes, DialectLink, DialectStatus } from '../dialect.ts';
import { secondsBetween } from '../span-times.ts';
import { claudeAttributes, claudeEvents, present } from './claude-attributes.ts';
import type { SparseAttributes } from './claude-attributes.ts';
import { jsonText, plainOrJsonText } from './json-text.ts';
import { chatMessages, finishReason, instructionParts, outputMessages, toolDefinitionParts } from './messages.ts';
import { ERROR_TYPE_OTHER, SEMCONV as S, SEMCONV_LATEST } from './semconv.ts';
import type { SemconvVersion } from './semconv.ts';
import { userAttributes } from './user-attributes.ts';

export interface GenaiDialectOptions {
  /** Which text of OpenTelemetry's GenAI conventions; `v1.41` is what backends read today and the default. */
  readonly version?: SemconvVersion;
  /** Whether a tool call hangs below its agent (default), beside the call that asked for it, or below that call. */
  readonly toolParent?: 'agent' | 'llm';
}

/** OpenTelemetry's GenAI semantic conventions, with everything they have no name for under `claude.`. */
export function genaiDialect({ version = 'v1.41', toolParent = 'agent' }: GenaiDialectOptions = {}): Dialect {
  const spelling = SPELLINGS[version];
  const isBelowCall = (span: CapturedSpan): boolean => toolParent === 'llm' && asker(span) !== undefined;
  return {
    name: version === 'v1.41' ? 'genai' : 'genai-latest',
    spanName,
    spanKind: (span) => (span.kind === 'llm' ? 'client' : 'internal'),
    parentSpanId: (span) => (isBelowCall(span) ? asker(span) : span.parentSpanId),
    attributes: (span) => attributesOf(span, spelling),
    status: statusOf,
    events: claudeEvents,
    links: (span) => (isBelowCall(span) ? [] : askerLinks(span)),
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

function attributesOf(span: CapturedSpan, spelling: Spelling): DialectAttributes {
  const own = {
    ...standardAttributes(span, spelling),
    [S.ATTR_GEN_AI_CONVERSATION_ID]: span.sessionId,
    [S.ATTR_ERROR_TYPE]: span.status === 'error' ? (span.error?.type ?? ERROR_TYPE_OTHER) : undefined,
    ...claudeAttributes(span),
  };
  return { ...present(own), ...userAttributes(span.attributes) };
}

function standardAttributes(span: CapturedSpan, spelling: Spelling): SparseAttributes {
  switch (span.kind) {
    case 'agent':
      return agentAttributes(span, spelling);
    case 'llm':
      return llmAttributes(span, spelling);
    case 'tool':
      return toolAttributes(span);
    case 'permission':
    case 'hook':
    case 'custom':
      return {};
  }
}

/** Never usage: backends would add it to that of the calls below. */
function agentAttributes(span: AgentSpan, spelling: Spelling): SparseAttributes {
  // The agent is Anthropic's whoever serves its model; who that was stands on each call.
  const provider = S.GEN_AI_PROVIDER_NAME_VALUE_ANTHROPIC;
  return {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT,
    ...given(spelling.agentProvider, provider),
    ...given(spelling.system, provider),
    [S.ATTR_GEN_AI_AGENT_NAME]: span.agentName,
    [spelling.agentId]: span.agentId,
    [S.ATTR_GEN_AI_REQUEST_MODEL]: span.requestModel,
    [S.ATTR_GEN_AI_INPUT_MESSAGES]: span.input && jsonText(chatMessages(span.input)),
    [S.ATTR_GEN_AI_OUTPUT_MESSAGES]: span.output && jsonText(outputMessages(span.output)),
  };
}

function llmAttributes(span: LlmSpan, spelling: Spelling): SparseAttributes {
  const { usage, firstTokenAt, stopReason } = span;
  const reason = stopReason === undefined ? undefined : finishReason(stopReason);
  return {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_CHAT,
    [S.ATTR_GEN_AI_PROVIDER_NAME]: span.provider,
    ...given(spelling.system, span.provider),
    [S.ATTR_GEN_AI_AGENT_NAME]: span.agentName,
    [S.ATTR_GEN_AI_REQUEST_MODEL]: span.requestModel,
    [S.ATTR_GEN_AI_REQUEST_STREAM]: firstTokenAt === undefined ? undefined : true,
    [S.ATTR_GEN_AI_RESPONSE_MODEL]: span.responseModel,
    [S.ATTR_GEN_AI_RESPONSE_ID]: span.messageId ?? span.requestId,
    [S.ATTR_GEN_AI_RESPONSE_FINISH_REASONS]: reason === undefined ? undefined : [reason],
    [S.ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]: secondsUntil(span, firstTokenAt),
    [S.ATTR_GEN_AI_USAGE_INPUT_TOKENS]: usage?.inputTokens,
    [S.ATTR_GEN_AI_USAGE_OUTPUT_TOKENS]: usage?.outputTokens,
    [S.ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS]: usage?.cacheReadTokens,
    [spelling.cacheWriteTokens]: usage?.cacheWriteTokens,
    [S.ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS]: usage?.thinkingTokens,
    ...llmContent(span, spelling.hasFinishReasonPerMessage ? (reason ?? cutReason(span)) : undefined),
  };
}

function secondsUntil({ startedAt }: LlmSpan, at: LlmSpan['firstTokenAt']): number | undefined {
  return at === undefined ? undefined : secondsBetween(startedAt, at);
}

/** Of an answer that an error cut off; where it was not the model that stopped, only the message says so. */
function cutReason(span: LlmSpan): string | undefined {
  return span.status === 'error' ? 'error' : undefined;
}

function llmContent(span: LlmSpan, reasonPerMessage: string | undefined): SparseAttributes {
  const { input, output, systemInstructions, toolDefinitions } = span;
  return {
    [S.ATTR_GEN_AI_SYSTEM_INSTRUCTIONS]: systemInstructions && jsonText(instructionParts(systemInstructions)),
    [S.ATTR_GEN_AI_TOOL_DEFINITIONS]: toolDefinitions && jsonText(toolDefinitionParts(toolDefinitions)),
    [S.ATTR_GEN_AI_INPUT_MESSAGES]: input && jsonText(chatMessages(input)),
    [S.ATTR_GEN_AI_OUTPUT_MESSAGES]: output && jsonText(outputMessages(output, reasonPerMessage)),
  };
}

function toolAttributes(span: ToolSpan): SparseAttributes {
  return {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
    [S.ATTR_GEN_AI_TOOL_NAME]: span.toolName,
    [S.ATTR_GEN_AI_TOOL_CALL_ID]: span.toolCallId,
    [S.ATTR_GEN_AI_TOOL_TYPE]: span.toolType,
    [S.ATTR_GEN_AI_AGENT_NAME]: span.agentName,
    [S.ATTR_GEN_AI_TOOL_CALL_ARGUMENTS]: plainOrJsonText(span.input),
    [S.ATTR_GEN_AI_TOOL_CALL_RESULT]: plainOrJsonText(span.output),
    // The conventions want the MCP facts on the tool's span where there is one, not on a second span.
    [S.ATTR_MCP_METHOD_NAME]: span.mcpServer === undefined ? undefined : S.MCP_METHOD_NAME_VALUE_TOOLS_CALL,
  };
}

// What was cancelled did not fail: it stays unset and has no `error.type`; `claude.cancelled` tells it from what went well.
function statusOf(span: CapturedSpan): DialectStatus {
  if (span.status !== 'error') return { code: 'unset' };
  const message = span.error?.message;
  return message === undefined || message === '' ? { code: 'error' } : { code: 'error', message };
}

function asker(span: CapturedSpan): ToolSpan['requestedByLlmSpanId'] {
  return span.kind === 'tool' ? span.requestedByLlmSpanId : undefined;
}

function askerLinks(span: CapturedSpan): readonly DialectLink[] {
  const spanId = asker(span);
  return spanId === undefined ? [] : [{ spanId, attributes: { 'claude.link': 'requested_by' } }];
}

function given(key: string | undefined, value: string): SparseAttributes {
  return key === undefined ? {} : { [key]: value };
}
