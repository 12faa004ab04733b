import type { CapturedSpan } from '@spanprism/core';
import {
  type AttributeTaker,
  claudeEvents,
  collectAttributes,
  type Dialect,
  type DialectStatus,
  type DialectValue,
  genaiDialect,
  jsonText,
  SEMCONV as S,
  shortenText,
  toolDefinitionParts,
} from '@spanprism/core/dialect';

export interface SentryDialectOptions {
  /** Whether a tool call hangs below its agent (default), beside the call that asked for it, or below that call. */
  readonly toolParent?: 'agent' | 'llm';
}

/** Each part of an origin is of letters, digits and underscores. */
export const ORIGIN = 'auto.ai.claude_agent_sdk';
export const SENTRY_ORIGIN = 'sentry.origin';

/** UTF-8 bytes of one text. Sentry cut at 20,000 in version 10, and leaves it to the sender since. */
const MAX_TEXT_BYTES = 65_536;

const OPS = {
  agent: 'gen_ai.invoke_agent',
  llm: 'gen_ai.chat',
  tool: 'gen_ai.execute_tool',
  // Sentry's dashboards count what is under `gen_ai.`, and these are no operations of a model.
  permission: 'claude.permission',
  hook: 'claude.hook',
  custom: 'function',
} as const satisfies Record<CapturedSpan['kind'], string>;

/** Spans as Sentry's AI Agents screens read them (`@sentry/conventions` 0.33): the GenAI conventions with Sentry's own names beside them. */
export function sentryDialect(options: SentryDialectOptions = {}): Dialect {
  const genai = genaiDialect(options);
  const putAttributes = (span: CapturedSpan, into: AttributeTaker): void => putFor(genai, span, into);
  return {
    ...genai,
    name: 'sentry',
    attributes: (span) => collectAttributes((into) => putAttributes(span, into)),
    putAttributes,
    status: statusOf,
    // Sentry drops events of spans: they are an attribute.
    events: () => [],
  };
}

/** What Sentry has deprecated, and what it has other names for. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  S.ATTR_GEN_AI_SYSTEM,
  S.ATTR_GEN_AI_REQUEST_STREAM,
  'claude.cost_usd',
  'claude.stop_reason',
]);

/** Keys with a meaning to Sentry that the conventions do not know; the user's are moved aside. */
const SENTRYS = /^(sentry\.|gen_ai\.cost\.|gen_ai\.(response\.streaming|usage\.total_tokens)$)/;

function putFor(genai: Dialect, span: CapturedSpan, into: AttributeTaker): void {
  const taken = new Set<string>();
  const put: AttributeTaker['put'] = (key, value) => {
    if (value === undefined || taken.has(key)) return;
    taken.add(key);
    into.put(key, typeof value === 'string' ? shortenText(value, MAX_TEXT_BYTES) : value);
  };
  put('sentry.op', OPS[span.kind]);
  put(SENTRY_ORIGIN, ORIGIN);
  putOwn(span, { put });
  genai.putAttributes?.(span, {
    put: (key, value) => {
      if (LEFT_OUT.has(key)) return;
      put(SENTRYS.test(key) ? `claude.attribute.${key}` : key, withoutBytes(key, value));
    },
  });
}

/** What Sentry has words of its own for. */
function putOwn(span: CapturedSpan, { put }: AttributeTaker): void {
  put('claude.events', eventsText(span));
  // What the session says of its tools is their names; schemas are on the calls that were seen to carry them.
  const names = span.kind === 'agent' ? span.toolNames?.map((name) => ({ name })) : undefined;
  put(S.ATTR_GEN_AI_TOOL_DEFINITIONS, names && jsonText(toolDefinitionParts(names)));
  if (span.kind !== 'llm') return;
  const { inputTokens, outputTokens } = span.usage ?? {};
  // A call without it is not on the dashboard, also one that nobody answered.
  put(S.ATTR_GEN_AI_RESPONSE_MODEL, span.responseModel ?? span.requestModel);
  // JSON in a text, with Anthropic's own word, is how Sentry declares it and how its own integrations send it.
  put(S.ATTR_GEN_AI_RESPONSE_FINISH_REASONS, span.stopReason && jsonText([span.stopReason]));
  if (span.firstTokenAt !== undefined) put('gen_ai.response.streaming', true);
  if (inputTokens !== undefined && outputTokens !== undefined)
    put('gen_ai.usage.total_tokens', inputTokens + outputTokens);
  // US dollars, despite its name.
  put('gen_ai.cost.total_tokens', span.costUsd);
}

const BLOB = '[Blob substitute]';
const MESSAGES: ReadonlySet<string> = new Set([S.ATTR_GEN_AI_INPUT_MESSAGES, S.ATTR_GEN_AI_OUTPUT_MESSAGES]);

/** Sentry wants no binary data in messages, and marks in these words where it was. */
function withoutBytes(key: string, value: DialectValue | undefined): DialectValue | undefined {
  if (typeof value !== 'string' || !MESSAGES.has(key) || !/"(blob|data:)/.test(value)) return value;
  return JSON.stringify(JSON.parse(value), (_, part: unknown) => {
    if (typeof part === 'string' && part.startsWith('data:')) return BLOB;
    const isBlob = typeof part === 'object' && part !== null && Reflect.get(part, 'type') === 'blob';
    return isBlob ? { ...part, content: BLOB } : part;
  });
}

function eventsText(span: CapturedSpan): string | undefined {
  const at = (time: bigint): string => new Date(Number(time / 1_000_000n)).toISOString();
  const events = claudeEvents(span).map((event) => ({ name: event.name, at: at(event.at), ...event.attributes }));
  return events.length === 0 ? undefined : jsonText(events);
}

/** Anthropic's error types in the words of Sentry, as its own integration for Anthropic has them. */
const STATUS_BY_ERROR: Readonly<Record<string, string>> = {
  invalid_request_error: 'invalid_argument',
  authentication_error: 'unauthenticated',
  permission_error: 'permission_denied',
  permission_denied: 'permission_denied',
  not_found_error: 'not_found',
  request_too_large: 'failed_precondition',
  rate_limit_error: 'resource_exhausted',
  overloaded_error: 'unavailable',
};

/** Sentry knows a few words for failures, and shows what was cancelled as none. */
function statusOf({ status, error }: CapturedSpan): DialectStatus {
  if (status === 'ok') return { code: 'ok' };
  if (status === 'cancelled') return { code: 'error', message: 'cancelled' };
  const type = error?.type ?? '';
  const known = Object.hasOwn(STATUS_BY_ERROR, type) ? STATUS_BY_ERROR[type] : undefined;
  return { code: 'error', message: known ?? 'internal_error' };
}
