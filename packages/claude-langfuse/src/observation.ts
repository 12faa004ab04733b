import {
  claudeEvents,
  collectAttributes,
  failureOf,
  nameOf,
  putClaudeAttributes,
  SEMCONV as S,
} from '@spanprism/core/dialect';
import type { AttributeTaker } from '@spanprism/core/dialect';
import type { CapturedSpan, Json } from '@spanprism/core';
import { contentOf } from './content.ts';
import { generationOf, isoTime } from './generation.ts';
import type { Generation } from './generation.ts';

/** A span in the words of Langfuse, whatever way it is sent. */
export interface Observation extends Partial<Generation> {
  readonly name: string;
  readonly level: 'DEBUG' | 'DEFAULT' | 'WARNING' | 'ERROR';
  readonly statusMessage: string | undefined;
  readonly input?: Json;
  readonly output?: Json;
  /** Everything that Langfuse has no field for, by the names it has in other backends. */
  readonly metadata: Readonly<Record<string, Json>>;
}

export function observationOf(span: CapturedSpan): Observation {
  const statusMessage = endingOf(span);
  return {
    name: nameOf(span),
    level: levelOf(span, statusMessage),
    statusMessage,
    ...(span.kind === 'llm' ? generationOf(span) : {}),
    ...contentOf(span),
    metadata: metadataOf(span),
  };
}

/** A refusal of permission is a decision, and what was cancelled did not fail: both want a look, neither is an error. */
function levelOf(span: CapturedSpan, ending: string | undefined): Observation['level'] {
  if (span.status === 'error' && !(span.kind === 'tool' && span.denied)) return 'ERROR';
  if (ending !== undefined) return 'WARNING';
  return span.kind === 'hook' ? 'DEBUG' : 'DEFAULT';
}

/** Stop reasons with which an answer is not what was asked for. */
const CUT_SHORT: ReadonlySet<string | undefined> = new Set(['max_tokens', 'refusal']);

/** How a span ended if not well. */
function endingOf(span: CapturedSpan): string | undefined {
  const failure = failureOf(span);
  if (failure !== '') return failure;
  if (span.kind === 'agent' && span.endedAt !== undefined && span.outcome !== 'completed') return span.outcome;
  if (span.status !== 'ok') return span.status;
  if (span.kind === 'llm' && CUT_SHORT.has(span.stopReason)) return span.stopReason;
  if (span.kind === 'permission' && span.decision === 'deny') return `denied by ${span.decidedBy}`;
  return span.kind === 'hook' && span.blocked ? 'blocked' : undefined;
}

const COST = 'claude.cost_usd';

function metadataOf(span: CapturedSpan): Observation['metadata'] {
  const facts = collectAttributes((into) => {
    putConventions(span, into);
    // Cost has a field.
    putClaudeAttributes(span, { put: (key, value) => (key === COST ? undefined : into.put(key, value)) });
  });
  // Langfuse reads neither events nor links of spans.
  const events = claudeEvents(span).map(({ name, at, attributes }) => ({ name, at: isoTime(at), ...attributes }));
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
