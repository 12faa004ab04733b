import type { CapturedSpan } from '@spanprism/core';
import type { Dialect, DialectAttributes, DialectStatus, DialectValue } from '@spanprism/core/dialect';
import {
  claudeEvents,
  genaiDialect,
  jsonText,
  SEMCONV,
  shortenText,
  toolDefinitionParts,
} from '@spanprism/core/dialect';

export interface SentryDialectOptions {
  /** Whether a tool call hangs below its agent (default), beside the call that asked for it, or below that call. */
  readonly toolParent?: 'agent' | 'llm';
}

/** Each part of an origin is of letters, digits and underscores. */
export const ORIGIN = 'auto.ai.claude_agent_sdk';

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

/** Spans as Sentry's AI Agents screens read them (`@sentry/conventions` 0.33): the GenAI conventions, and Sentry's own names. */
export function sentryDialect(options: SentryDialectOptions = {}): Dialect {
  const { putAttributes: _, ...genai } = genaiDialect(options);
  return {
    ...genai,
    name: 'sentry',
    attributes: (span) => attributesOf(span, genai.attributes(span)),
    status: statusOf,
    // Sentry drops events of spans: they are an attribute.
    events: () => [],
  };
}

/** What Sentry has deprecated, and what it has other names for. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  SEMCONV.ATTR_GEN_AI_SYSTEM,
  SEMCONV.ATTR_GEN_AI_REQUEST_STREAM,
  'claude.cost_usd',
  'claude.stop_reason',
]);

/** Keys with a meaning to Sentry that the conventions do not know: under these the user's must not arrive. */
const SENTRYS = /^(sentry\.|gen_ai\.cost\.|gen_ai\.(response\.streaming|usage\.total_tokens)$)/;

function attributesOf(span: CapturedSpan, conventional: DialectAttributes): DialectAttributes {
  const attributes: Record<string, DialectValue | undefined> = {
    'sentry.op': OPS[span.kind],
    'sentry.origin': ORIGIN,
    ...(span.kind === 'llm' ? ofCall(span) : {}),
    'claude.events': eventsText(span),
  };
  // What the session says of its tools is their names; schemas are on the calls that were seen to carry them.
  const names = span.kind === 'agent' ? span.toolNames?.map((name) => ({ name })) : undefined;
  if (names !== undefined) attributes[SEMCONV.ATTR_GEN_AI_TOOL_DEFINITIONS] = jsonText(toolDefinitionParts(names));
  for (const [key, value] of Object.entries(conventional)) {
    if (!LEFT_OUT.has(key)) attributes[SENTRYS.test(key) ? `claude.attribute.${key}` : key] ??= value;
  }
  const known = Object.entries(attributes).filter((entry): entry is [string, DialectValue] => entry[1] !== undefined);
  return Object.fromEntries(
    known.map(([key, value]) => [key, typeof value === 'string' ? fitting(key, value) : value]),
  );
}

function ofCall(span: CapturedSpan & { readonly kind: 'llm' }): Readonly<Record<string, DialectValue | undefined>> {
  const { inputTokens, outputTokens } = span.usage ?? {};
  return {
    // A call without it is not on the dashboard, also one that nobody answered.
    [SEMCONV.ATTR_GEN_AI_RESPONSE_MODEL]: span.responseModel ?? span.requestModel,
    // JSON in a text, with Anthropic's own word, is how Sentry declares it and how its own integrations send it.
    [SEMCONV.ATTR_GEN_AI_RESPONSE_FINISH_REASONS]: span.stopReason && jsonText([span.stopReason]),
    'gen_ai.response.streaming': span.firstTokenAt === undefined ? undefined : true,
    'gen_ai.usage.total_tokens':
      inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens,
    // US dollars, despite its name.
    'gen_ai.cost.total_tokens': span.costUsd,
  };
}

function eventsText(span: CapturedSpan): string | undefined {
  const iso = (time: bigint): string => new Date(Number(time / 1_000_000n)).toISOString();
  const events = claudeEvents(span).map(({ name, at, attributes }) => ({ name, at: iso(at), ...attributes }));
  return events.length === 0 ? undefined : jsonText(events);
}

const BLOB = '[Blob substitute]';

/** Cut to size, and without the binary data that Sentry wants no messages to have: in these words it marks where it was. */
function fitting(key: string, text: string): string {
  const hasBytes = key.endsWith('put.messages') && /"(blob|data:)/.test(text);
  const fit = (_: string, part: unknown): unknown => {
    if (typeof part === 'string' && part.startsWith('data:')) return BLOB;
    const isBlob = typeof part === 'object' && part !== null && Reflect.get(part, 'type') === 'blob';
    return isBlob ? { ...part, content: BLOB } : part;
  };
  return shortenText(hasBytes ? JSON.stringify(JSON.parse(text), fit) : text, MAX_TEXT_BYTES);
}

/** Anthropic's error types in the words of Sentry, as its own integration for Anthropic has them; the rest is `internal_error`. */
const STATUS_BY_ERROR: ReadonlyMap<string | undefined, string> = new Map(
  Object.entries({
    invalid_request_error: 'invalid_argument',
    authentication_error: 'unauthenticated',
    permission_error: 'permission_denied',
    permission_denied: 'permission_denied',
    not_found_error: 'not_found',
    request_too_large: 'failed_precondition',
    rate_limit_error: 'resource_exhausted',
    overloaded_error: 'unavailable',
  }),
);

/** Sentry shows what was cancelled as no failure. */
function statusOf({ status, error }: CapturedSpan): DialectStatus {
  if (status === 'ok') return { code: 'ok' };
  const message = status === 'cancelled' ? status : (STATUS_BY_ERROR.get(error?.type) ?? 'internal_error');
  return { code: 'error', message };
}
