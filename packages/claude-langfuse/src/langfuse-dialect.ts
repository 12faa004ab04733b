import {
  collectAttributes,
  genaiDialect,
  jsonText,
  nameOf,
  plainOrJsonText,
  SEMCONV as S,
} from '@spanprism/core/dialect';
import type { AttributeTaker, Dialect, GenaiDialectOptions } from '@spanprism/core/dialect';
import type { CapturedSpan } from '@spanprism/core';
import { observationOf } from './observation.ts';
import { TRACE_KEYS, traceFieldsOf } from './trace-fields.ts';

export interface LangfuseDialectOptions extends Pick<GenaiDialectOptions, 'toolParent'> {
  /**
   * Whether Claude's session is written over Langfuse's where the program names none to us. Not unless given: what
   * `propagateAttributes` says beside a `LangfuseSpanProcessor` stays, and where nobody says anything Langfuse takes Claude's.
   */
  readonly claudeSession?: boolean;
}

/** Of one span Langfuse takes little more. */
const LIMITS = { maxSpanBytes: 9_000_000 };

/**
 * Spans as Langfuse's OTLP endpoint reads them. For tracing that has a `LangfuseSpanProcessor` already:
 * `otelSink({ dialect: langfuseDialect() })`.
 */
export function langfuseDialect({ toolParent = 'agent', claudeSession = false }: LangfuseDialectOptions = {}): Dialect {
  const putAttributes = (span: CapturedSpan, into: AttributeTaker): void => {
    const { type, operation } = KINDS[span.kind];
    into.put('langfuse.observation.type', type);
    into.put(S.ATTR_GEN_AI_OPERATION_NAME, operation);
    into.put(S.ATTR_GEN_AI_CONVERSATION_ID, span.sessionId);
    putTrace(span, claudeSession ? span.sessionId : undefined, into);
    putObservation(span, into);
  };
  return {
    ...genaiDialect({ toolParent }),
    name: 'langfuse',
    limits: LIMITS,
    spanName: nameOf,
    attributes: (span) => collectAttributes((into) => putAttributes(span, into)),
    putAttributes,
    // Langfuse reads neither; the metadata has both.
    events: () => [],
    links: () => [],
  };
}

/** The operation says nothing that the type does not: a `LangfuseSpanProcessor` lets pass what has attributes of the conventions. */
const KINDS: Readonly<Record<CapturedSpan['kind'], { readonly type: string; readonly operation?: string }>> = {
  agent: { type: 'agent', operation: S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT },
  llm: { type: 'generation', operation: S.GEN_AI_OPERATION_NAME_VALUE_CHAT },
  tool: { type: 'tool', operation: S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL },
  permission: { type: 'span' },
  hook: { type: 'span' },
  custom: { type: 'chain', operation: 'invoke_workflow' },
};

const OBSERVATION_KEYS = {
  level: 'level',
  statusMessage: 'status_message',
  model: 'model.name',
  modelParameters: 'model.parameters',
  usageDetails: 'usage_details',
  costDetails: 'cost_details',
  completionStartTime: 'completion_start_time',
  metadata: 'metadata',
  input: 'input',
  output: 'output',
} as const;

function putObservation(span: CapturedSpan, into: AttributeTaker): void {
  const observation = observationOf(span);
  for (const field of Object.keys(OBSERVATION_KEYS) as (keyof typeof OBSERVATION_KEYS)[]) {
    const value = observation[field];
    if (value !== undefined) into.put(`langfuse.observation.${OBSERVATION_KEYS[field]}`, plainOrJsonText(value));
  }
}

/** On every span: Langfuse keeps these with each observation. */
function putTrace(span: CapturedSpan, session: string | undefined, into: AttributeTaker): void {
  const { fields, metadata } = traceFieldsOf(span.attributes);
  const { tags, promptName, promptVersion, sessionId = session, ...others } = fields;
  const prompt = span.kind === 'llm' ? { promptName, promptVersion } : {};
  const said: typeof fields = { ...others, ...prompt, sessionId };
  into.put('langfuse.trace.tags', tags);
  for (const [field, value] of Object.entries(said)) into.put(TRACE_KEYS[field as keyof typeof TRACE_KEYS], value);
  if (Object.keys(metadata).length > 0) into.put('langfuse.trace.metadata', jsonText(metadata));
}
