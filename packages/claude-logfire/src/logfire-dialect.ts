import {
  collectAttributes,
  exceptionEvents,
  genaiDialect,
  jsonText,
  SEMCONV,
  toolDefinitionParts,
  userTags,
} from '@spanprism/core/dialect';
import type { AttributeTaker, Dialect, DialectRecord, DialectValue } from '@spanprism/core/dialect';
import type { CapturedSpan, SpanId } from '@spanprism/core';
import { LEVELS, levelOf } from './level.ts';
import { requestData, responseData } from './request-data.ts';
import { titleOf } from './title.ts';

export interface LogfireDialectOptions {
  /** Whether a tool call hangs below its agent (default), beside the call that asked for it, or below that call. */
  readonly toolParent?: 'agent' | 'llm';
  /** Whether spans are shown while they run; yes unless given. */
  readonly pendingSpans?: boolean;
}

/** OpenTelemetry's GenAI conventions with what Logfire's live view, its LLM panels and its pages of models and agents read beyond them. */
export function logfireDialect({ toolParent = 'agent', pendingSpans = true }: LogfireDialectOptions = {}): Dialect {
  const genai = genaiDialect({ toolParent });
  const putAttributes = (span: CapturedSpan, into: AttributeTaker): void => putLogfireAttributes(genai, span, into);
  const attributes: Dialect['attributes'] = (span) => collectAttributes((into) => putAttributes(span, into));
  const dialect: Dialect = {
    ...genai,
    name: 'logfire',
    attributes,
    putAttributes,
    // What the pages of agents and issues call an exception; a refusal of permission is a decision.
    events: (span) => [...genai.events(span), ...(levelOf(span) === 'error' ? exceptionEvents(span) : [])],
  };
  return pendingSpans ? { ...dialect, atStart: (span) => pendingSpan(dialect, span) } : dialect;
}

/** One fact has one name: where Logfire reads another than the conventions have, it stands alone. */
const RENAMED: Readonly<Record<string, string>> = {
  [SEMCONV.ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]: SEMCONV.METRIC_GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
  'claude.cost_usd': 'operation.cost',
};

/** Written here in a form that Logfire shows: as tags, and as tool definitions. */
const TAGS = 'tags';
const TOOL_NAMES = 'claude.tool_names';

/** Every span that has a provider is a call on Logfire's page of models, and a run of an agent is none. */
const OF_CALLS: ReadonlySet<string> = new Set([SEMCONV.ATTR_GEN_AI_SYSTEM, SEMCONV.ATTR_GEN_AI_PROVIDER_NAME]);

const OWN_PREFIX = 'logfire.';
const OWN_KEYS: ReadonlySet<string> = new Set(['request_data', 'response_data', ...Object.values(RENAMED)]);

/** Attributes that are JSON where they are text. Logfire parses those that the schema names, and shows all others as they came. */
const JSON_TYPES: Readonly<Record<string, 'array' | 'object'>> = {
  [SEMCONV.ATTR_GEN_AI_INPUT_MESSAGES]: 'array',
  [SEMCONV.ATTR_GEN_AI_OUTPUT_MESSAGES]: 'array',
  [SEMCONV.ATTR_GEN_AI_SYSTEM_INSTRUCTIONS]: 'array',
  [SEMCONV.ATTR_GEN_AI_TOOL_DEFINITIONS]: 'array',
  'claude.issue_details': 'array',
  'claude.turn.by_model': 'object',
  'claude.turn.unattributed.by_model': 'object',
  request_data: 'object',
  response_data: 'object',
};

function putLogfireAttributes(genai: Dialect, span: CapturedSpan, into: AttributeTaker): void {
  const json = jsonTypesOf(span);
  const properties: Record<string, { readonly type: 'array' | 'object' }> = {};
  const put = (key: string, value: DialectValue | undefined): void => {
    const type = json[key];
    if (type !== undefined && value !== undefined) properties[key] = { type };
    into.put(key, value);
  };
  const tags = tagsOf(span);
  into.put('logfire.msg', titleOf(span));
  into.put('logfire.level_num', LEVELS[levelOf(span)]);
  if (tags.length > 0) into.put('logfire.tags', tags);
  putGenai(genai, span, { put });
  if (span.kind === 'agent') {
    const { toolNames } = span;
    const definitions = toolNames && jsonText(toolDefinitionParts(toolNames.map((name) => ({ name }))));
    put(SEMCONV.ATTR_GEN_AI_TOOL_DEFINITIONS, definitions);
  }
  if (span.kind === 'llm') {
    const response = responseData(span);
    put('request_data', jsonText(requestData(span)));
    put('response_data', response && jsonText(response));
  }
  const hasJson = Object.keys(properties).length > 0;
  if (hasJson) into.put('logfire.json_schema', jsonText({ type: 'object', properties }));
}

/** The conventions' attributes in Logfire's names; what the user calls as Logfire or we call something is moved as others are. */
function putGenai(genai: Dialect, span: CapturedSpan, into: AttributeTaker): void {
  const hasTags = userTags(span.attributes) !== undefined;
  genai.putAttributes?.(span, {
    put: (key, value) => {
      if (key === TOOL_NAMES || (key === TAGS && hasTags) || (span.kind === 'agent' && OF_CALLS.has(key))) return;
      const isTaken = key.startsWith(OWN_PREFIX) || OWN_KEYS.has(key);
      into.put(isTaken ? `claude.attribute.${key}` : (RENAMED[key] ?? key), value);
    },
  });
}

/** A tool may take or give plain text, which must not be parsed whatever it looks like. */
function jsonTypesOf(span: CapturedSpan): typeof JSON_TYPES {
  if (span.kind !== 'tool') return JSON_TYPES;
  return {
    ...JSON_TYPES,
    ...typed(SEMCONV.ATTR_GEN_AI_TOOL_CALL_ARGUMENTS, span.input),
    ...typed(SEMCONV.ATTR_GEN_AI_TOOL_CALL_RESULT, span.output),
  };
}

function typed(key: string, value: unknown): typeof JSON_TYPES {
  if (typeof value !== 'object' || value === null) return {};
  return { [key]: Array.isArray(value) ? 'array' : 'object' };
}

/** Logfire's own integrations tag calls of models so. */
const CALL_TAGS: readonly string[] = ['LLM'];

function tagsOf(span: CapturedSpan): readonly string[] {
  const own = userTags(span.attributes) ?? [];
  return span.kind === 'llm' ? [...new Set([...CALL_TAGS, ...own])] : own;
}

const NO_PARENT = '0000000000000000';

/** A span that has begun is shown by a record below it, of no length and with an id of its own, until the span itself arrives. */
function pendingSpan(dialect: Dialect, span: CapturedSpan): DialectRecord {
  const { spanId, startedAt } = span;
  return {
    spanId: pendingId(spanId),
    parentSpanId: spanId,
    name: dialect.spanName(span),
    kind: dialect.spanKind(span),
    startedAt,
    endedAt: startedAt,
    attributes: {
      ...dialect.attributes(span),
      'logfire.span_type': 'pending_span',
      'logfire.pending_parent_id': dialect.parentSpanId(span) ?? NO_PARENT,
    },
  };
}

/** Any fixed number: ids are random, and what differs stays different. */
const PENDING_MASK = 0x5ca1_ab1e_0ddb_a115n;

// Made of the span's own, so that the same span has the same record whenever it is told of.
function pendingId(spanId: SpanId): SpanId {
  const id = BigInt(`0x${spanId}`) ^ PENDING_MASK;
  return id.toString(16).padStart(16, '0') as SpanId;
}
