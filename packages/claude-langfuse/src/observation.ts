import {
  chatMessages,
  claudeEvents,
  collectAttributes,
  endingOf,
  finishReason,
  nameOf,
  outputMessages,
  putClaudeAttributes,
  SEMCONV as S,
  toolDefinitionParts,
  type AttributeTaker,
} from '@spanprism/core/dialect';
import { isoFromUnixNano, type CapturedSpan, type Json, type LlmSpan, type Message, type Usage } from '@spanprism/core';

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
  readonly usageDetails?: Readonly<Record<string, number>> | undefined;
  /** US dollars. Where they are not known, Langfuse multiplies the buckets with prices of its own. */
  readonly costDetails?: { readonly total: number } | undefined;
  readonly completionStartTime?: string | undefined;
}

export function observationOf(span: CapturedSpan): Observation {
  const statusMessage = endingOf(span) || undefined;
  const said = { name: nameOf(span), level: levelOf(span, statusMessage), statusMessage, metadata: metadataOf(span) };
  switch (span.kind) {
    case 'agent':
      return { ...said, input: span.input && chatMessages(span.input), output: answerOf(span.output) };
    case 'llm':
      return { ...said, ...generationOf(span), input: requestOf(span), output: answerOf(span.output, span.stopReason) };
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
  const words = systemInstructions?.map((text) => ({ type: 'text', text }) as const);
  const system: readonly Message[] = words === undefined ? [] : [{ role: 'system', content: words }];
  const messages = chatMessages([...system, ...(input ?? [])]);
  if (toolDefinitions !== undefined) return { messages, tools: toolDefinitionParts(toolDefinitions) };
  return (input ?? words) && messages;
}

function answerOf(output: readonly Message[] | undefined, stopReason?: string): Json {
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
function bucketsOf({ inputTokens, outputTokens, cacheReadTokens, ...writes }: Usage): Observation['usageDetails'] {
  const { cacheWriteTokens, cacheWrite1hTokens } = writes;
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
  const left = parts.reduce<number>((rest, part = 0) => rest - part, whole ?? 0);
  return whole === undefined ? undefined : Math.max(0, left);
}

/** Cost has a field; events and links have none, as Langfuse reads neither. */
function metadataOf(span: CapturedSpan): Observation['metadata'] {
  const facts = collectAttributes((into) => {
    putConventions(span, into);
    putClaudeAttributes(span, { put: (key, value) => (key === 'claude.cost_usd' ? undefined : into.put(key, value)) });
  });
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
    into.put('claude.requested_by', span.requestedByLlmSpanId);
  }
  if (span.status === 'error') into.put(S.ATTR_ERROR_TYPE, span.error?.type);
}
