import { type CapturedSpan, isoFromUnixNano } from '@spanprism/core';
import type { Dialect, DialectAttributes, DialectValue, GenaiDialectOptions } from '@spanprism/core/dialect';
import { claudeEvents, collectAttributes, genaiDialect, SEMCONV, shortenText } from '@spanprism/core/dialect';

export type SentryDialectOptions = Pick<GenaiDialectOptions, 'toolParent'>;

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

/** Anthropic's error types in the words of Sentry, as its own integration for Anthropic has them. */
const STATUS_BY_ERROR: ReadonlyMap<string | undefined, string> = new Map([
  ['invalid_request_error', 'invalid_argument'],
  ['authentication_error', 'unauthenticated'],
  ['permission_error', 'permission_denied'],
  ['permission_denied', 'permission_denied'],
  ['not_found_error', 'not_found'],
  ['request_too_large', 'failed_precondition'],
  ['rate_limit_error', 'resource_exhausted'],
  ['overloaded_error', 'unavailable'],
]);

/** Spans as Sentry's AI Agents screens read them (`@sentry/conventions` 0.33): the GenAI conventions, and Sentry's own names. */
export function sentryDialect(options: SentryDialectOptions = {}): Dialect {
  const { putAttributes: _, ...genai } = genaiDialect(options);
  return {
    ...genai,
    name: 'sentry',
    attributes: (span) => attributesOf(span, genai.attributes(span)),
    status: ({ status, error }) => {
      if (status === 'ok') return { code: 'ok' };
      // Sentry knows this word too, and shows it as no failure.
      const message = status === 'cancelled' ? status : (STATUS_BY_ERROR.get(error?.type) ?? 'internal_error');
      return { code: 'error', message };
    },
    // Sentry drops events of spans: they are an attribute.
    events: () => [],
  };
}

/** What Sentry has deprecated, and what it has other names for. */
const LEFT_OUT = /^(gen_ai\.(system|request\.stream)|claude\.(cost_usd|stop_reason))$/;

/** Keys with a meaning to Sentry that the conventions do not know: under these the user's must not arrive. */
const SENTRYS = /^(sentry\.|gen_ai\.cost\.|gen_ai\.(response\.streaming|usage\.total_tokens)$)/;

function attributesOf(span: CapturedSpan, conventional: DialectAttributes): DialectAttributes {
  const all: Record<string, DialectValue | undefined> = { 'sentry.op': OPS[span.kind], 'sentry.origin': ORIGIN };
  const events = claudeEvents(span).map(({ name, at, attributes: rest }) => ({
    name,
    at: isoFromUnixNano(at),
    ...rest,
  }));
  if (events.length > 0) all['claude.events'] = JSON.stringify(events);
  if (span.kind === 'llm') {
    const { inputTokens = NaN, outputTokens = NaN } = span.usage ?? {};
    // A call without it is not on the dashboard, also one that nobody answered.
    all[SEMCONV.ATTR_GEN_AI_RESPONSE_MODEL] = span.responseModel ?? span.requestModel;
    // JSON in a text, with Anthropic's own word, is how Sentry declares it and how its own integrations send it.
    all[SEMCONV.ATTR_GEN_AI_RESPONSE_FINISH_REASONS] = span.stopReason && JSON.stringify([span.stopReason]);
    if (span.firstTokenAt !== undefined) all['gen_ai.response.streaming'] = true;
    all['gen_ai.usage.total_tokens'] = inputTokens + outputTokens || undefined;
    // US dollars, despite its name.
    all['gen_ai.cost.total_tokens'] = span.costUsd;
  } else if (span.kind === 'agent' && span.toolNames !== undefined) {
    // What the session says of its tools is their names; schemas are on the calls that were seen to carry them.
    const definitions = span.toolNames.map((name) => ({ type: 'function', name }));
    all[SEMCONV.ATTR_GEN_AI_TOOL_DEFINITIONS] = JSON.stringify(definitions);
  }
  for (const [key, value] of Object.entries(conventional)) {
    if (!LEFT_OUT.test(key)) all[SENTRYS.test(key) ? `claude.attribute.${key}` : key] ??= value;
  }
  return collectAttributes(({ put }) => Object.entries(all).forEach(([key, value]) => put(key, fitting(value))));
}

/** The binary data that Sentry wants no messages to have, in those and in what tools gave; where it was it marks with words. */
const BYTES =
  /("type":"blob","modality":"\w+","content":"|"type":"base64","media_type":"[^"\\]*","data":"|"base64":"|"uri":"(?=data:))[^"\\]*/g;

function fitting(value: DialectValue | undefined): DialectValue | undefined {
  return typeof value === 'string' ? shortenText(value.replace(BYTES, '$1[Blob substitute]'), MAX_TEXT_BYTES) : value;
}
