import { collectAttributes, genaiDialect, nameOf, plainOrJsonText, SEMCONV as S } from '@spanprism/core/dialect';
import type { AttributeTaker, Dialect, GenaiDialectOptions } from '@spanprism/core/dialect';
import type { CapturedSpan } from '@spanprism/core';
import { observationOf } from './observation.ts';
import { TRACE_KEYS, traceFieldsOf } from './trace-fields.ts';

export interface LangfuseDialectOptions extends Pick<GenaiDialectOptions, 'toolParent'> {
  /**
   * Whether nothing else of the program sends to Langfuse: Claude's session is then Langfuse's where none is named, and what hangs
   * below a span of another process is a root. Not unless given: a `LangfuseSpanProcessor` and `propagateAttributes` say both.
   */
  readonly isAlone?: boolean;
}

/**
 * Spans as Langfuse's OTLP endpoint reads them. For tracing that has a `LangfuseSpanProcessor` already:
 * `otelSink({ dialect: langfuseDialect() })`.
 */
export function langfuseDialect({ toolParent = 'agent', isAlone = false }: LangfuseDialectOptions = {}): Dialect {
  const putAttributes = (span: CapturedSpan, into: AttributeTaker): void => {
    const [type, operation] = KINDS[span.kind];
    into.put('langfuse.observation.type', type);
    into.put(S.ATTR_GEN_AI_OPERATION_NAME, operation);
    into.put(S.ATTR_GEN_AI_CONVERSATION_ID, span.sessionId);
    if (isAlone && span.parentIsRemote === true) into.put('langfuse.internal.is_app_root', true);
    putTrace(span, isAlone ? span.sessionId : undefined, into);
    putObservation(span, into);
  };
  return {
    ...genaiDialect({ toolParent }),
    name: 'langfuse',
    limits: { maxSpanBytes: 9_000_000 },
    spanName: nameOf,
    attributes: (span) => collectAttributes((into) => putAttributes(span, into)),
    putAttributes,
    // Langfuse takes little more of one span, and reads neither events nor links: the metadata has both.
    events: () => [],
    links: () => [],
  };
}

/** Type, and the operation by which a `LangfuseSpanProcessor` knows what it lets pass. */
const KINDS: Readonly<Record<CapturedSpan['kind'], readonly [type: string, operation?: string]>> = {
  agent: ['agent', S.GEN_AI_OPERATION_NAME_VALUE_INVOKE_AGENT],
  llm: ['generation', S.GEN_AI_OPERATION_NAME_VALUE_CHAT],
  tool: ['tool', S.GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL],
  permission: ['span'],
  hook: ['span'],
  custom: ['chain', 'invoke_workflow'],
};

/** Where the attribute is not the field in snake case. */
const OBSERVATION_KEYS: Readonly<Record<string, string>> = { model: 'model.name', modelParameters: 'model.parameters' };

function putObservation(span: CapturedSpan, into: AttributeTaker): void {
  const { name: _, ...said } = observationOf(span);
  for (const [field, value] of Object.entries(said)) {
    const key = OBSERVATION_KEYS[field] ?? field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (value !== undefined) into.put(`langfuse.observation.${key}`, plainOrJsonText(value));
  }
}

/** On every span: Langfuse keeps these with each observation. */
function putTrace(span: CapturedSpan, session: string | undefined, into: AttributeTaker): void {
  const { metadata, tags, prompt, sessionId = session, ...fields } = traceFieldsOf(span.attributes);
  const said = { ...fields, sessionId, ...(span.kind === 'llm' ? prompt : {}) };
  for (const [field, value] of Object.entries(said)) into.put(TRACE_KEYS[field as keyof typeof said], value);
  into.put('langfuse.trace.tags', tags);
  if (Object.keys(metadata).length > 0) into.put('langfuse.trace.metadata', plainOrJsonText(metadata));
}
