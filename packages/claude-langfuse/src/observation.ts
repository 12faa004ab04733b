import {
  chatMessages,
  claudeEvents,
  collectAttributes,
  endingOf,
  finishReason,
  instructionParts,
  nameOf,
  outputMessages,
  putClaudeAttributes,
  SEMCONV as S,
  toolDefinitionParts,
} from '@spanprism/core/dialect';
import type { AttributeTaker } from '@spanprism/core/dialect';
import { isoFromUnixNano } from '@spanprism/core';
import type { CapturedSpan, Json, LlmSpan, Usage } from '@spanprism/core';

type Figures = Readonly<Record<string, number>>;

/** A span in the words of Langfuse, whatever way it is sent. */
export interface Observation {
  readonly name: string;
  readonly level: 'DEBUG' | 'DEFAULT' | 'WARNING' | 'ERROR';
  readonly statusMessage: string | undefined;
  readonly input?: Json;
  readonly output?: Json;
  /** Everything that Langfuse has no field for, by the names it has in other backends. */
  readonly metadata: Readonly<Record<string, Json>>;
  readonly model?: string;
  readonly modelParameters?: Readonly<Record<string, string | boolean>>;
  /** Buckets that share no token, by the names that Langfuse has prices for. */
  readonly usageDetails?: Figures | undefined;
  /** US dollars. Where they are not known, Langfuse multiplies the buckets with prices of its own. */
  readonly costDetails?: Figures | undefined;
  /** ISO 8601. */
  readonly completionStartTime?: string | undefined;
}

export function observationOf(span: CapturedSpan): Observation {
  const statusMessage = endingOf(span) || undefined;
  const said = { name: nameOf(span), level: levelOf(span, statusMessage), statusMessage, metadata: metadataOf(span) };
  switch (span.kind) {
    case 'agent':
      return {
        ...said,
        input: span.input && chatMessages(span.input),
        output: span.output && outputMessages(span.output),
      };
    case 'llm':
      return { ...said, ...generationOf(span), input: requestOf(span), output: answerOf(span) };
    case 'tool':
      return { ...said, input: span.input, output: span.output };
    case 'permission':
    case 'hook':
    case 'custom':
      return said;
  }
}

/** A refusal of permission is a decision, and what was cancelled did not fail: both want a look, neither is an error. */
function levelOf(span: CapturedSpan, ending: string | undefined): Observation['level'] {
  if (span.status === 'error' && !(span.kind === 'tool' && span.denied)) return 'ERROR';
  if (ending !== undefined) return 'WARNING';
  return span.kind === 'hook' ? 'DEBUG' : 'DEFAULT';
}

/** Langfuse has no fields for instructions and tools: it looks for both in the input. */
function requestOf({ input, systemInstructions, toolDefinitions }: LlmSpan): Json {
  const system = systemInstructions && [{ role: 'system', parts: instructionParts(systemInstructions) }];
  const messages = [...(system ?? []), ...chatMessages(input ?? [])];
  if (toolDefinitions !== undefined) return { messages, tools: toolDefinitionParts(toolDefinitions) };
  return (input ?? system) && messages;
}

function answerOf({ output, stopReason }: LlmSpan): Json {
  return output && outputMessages(output, stopReason === undefined ? undefined : finishReason(stopReason));
}

function generationOf({ requestModel, responseModel, provider, usage, costUsd, firstTokenAt }: LlmSpan) {
  return {
    model: responseModel ?? requestModel,
    modelParameters: { model: requestModel, provider, ...(firstTokenAt === undefined ? {} : { stream: true }) },
    usageDetails: usage && bucketsOf(usage),
    costDetails: costUsd === undefined ? undefined : { total: costUsd },
    completionStartTime: firstTokenAt === undefined ? undefined : isoFromUnixNano(firstTokenAt),
  };
}

/**
 * Langfuse adds up all buckets that begin with `input`, and our figure includes the cache. Writes that live an hour have a price of
 * their own; those of five minutes have that of `input_cache_creation`, which servers of every age know. Thinking stays within
 * the output, as its bucket has no price.
 */
function bucketsOf({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens,
  cacheWrite1hTokens,
}: Usage): Figures {
  const buckets = Object.entries({
    input: less(inputTokens, cacheReadTokens, cacheWriteTokens),
    output: outputTokens,
    input_cached_tokens: cacheReadTokens,
    input_cache_creation: less(cacheWriteTokens, cacheWrite1hTokens),
    input_cache_creation_1h: cacheWrite1hTokens === 0 ? undefined : cacheWrite1hTokens,
  });
  return Object.fromEntries(buckets.filter((bucket): bucket is [string, number] => bucket[1] !== undefined));
}

/** Never below 0: figures that disagree must not take from those of other calls. */
function less(whole: number | undefined, ...parts: readonly (number | undefined)[]): number | undefined {
  return (
    whole &&
    Math.max(
      0,
      parts.reduce<number>((left, part = 0) => left - part, whole),
    )
  );
}

const COST = 'claude.cost_usd';

function metadataOf(span: CapturedSpan): Observation['metadata'] {
  const facts = collectAttributes((into) => {
    putConventions(span, into);
    // Cost has a field.
    putClaudeAttributes(span, { put: (key, value) => (key === COST ? undefined : into.put(key, value)) });
  });
  // Langfuse reads neither events nor links of spans.
  const events = claudeEvents(span).map(({ at, ...event }) => ({ at: isoFromUnixNano(at), ...event }));
  return events.length === 0 ? facts : { ...facts, 'claude.events': events };
}

/** Of the facts that the conventions name, those for which Langfuse has no field. */
function putConventions(span: CapturedSpan, into: AttributeTaker): void {
  if (span.kind === 'llm' || span.kind === 'tool') into.put(S.ATTR_GEN_AI_AGENT_NAME, span.agentName);
  if (span.kind === 'agent') {
    into.put(S.ATTR_GEN_AI_AGENT_ID, span.agentId);
    into.put(S.ATTR_GEN_AI_REQUEST_MODEL, span.requestModel);
  } else if (span.kind === 'llm') {
    into.put(S.ATTR_GEN_AI_RESPONSE_ID, span.messageId ?? span.requestId);
    into.put(S.ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, span.usage?.thinkingTokens);
  } else if (span.kind === 'tool') {
    into.put(S.ATTR_GEN_AI_TOOL_CALL_ID, span.toolCallId);
    into.put(S.ATTR_GEN_AI_TOOL_TYPE, span.toolType);
    into.put('claude.requested_by', span.requestedByLlmSpanId);
  }
  if (span.status === 'error') into.put(S.ATTR_ERROR_TYPE, span.error?.type);
}
