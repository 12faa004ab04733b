import * as Sentry from '@sentry/node';
import { type CapturedSpan, msFromUnixNano, type SpanId } from '@spanprism/core';
import { type Dialect, SEMCONV as S } from '@spanprism/core/dialect';
import type { FailureKind } from './options.ts';
import { ORIGIN } from './sentry-dialect.ts';

/** What an error says of the run that it happened in, beside its trace. */
const CONTEXT = [
  S.ATTR_GEN_AI_CONVERSATION_ID,
  S.ATTR_GEN_AI_AGENT_NAME,
  S.ATTR_GEN_AI_REQUEST_MODEL,
  S.ATTR_GEN_AI_TOOL_NAME,
  S.ATTR_GEN_AI_TOOL_CALL_ID,
  S.ATTR_ERROR_TYPE,
  'claude.request_id',
  'claude.outcome',
  'claude.attempts',
];

/** Failures as errors in Sentry, each within its span, and once: not again for what failed only because something below it did. */
export class FailureReports {
  readonly #kinds: ReadonlySet<string>;
  readonly #dialect: Dialect;
  /** Agents and tool calls whose failure has been told of below them. */
  readonly #explained: Set<SpanId> = new Set();

  constructor(captureErrors: boolean | readonly FailureKind[], dialect: Dialect) {
    const all = captureErrors === true ? ['agent', 'llm', 'tool'] : [];
    this.#kinds = new Set(typeof captureErrors === 'boolean' ? all : captureErrors);
    this.#dialect = dialect;
  }

  /** To be called for every span before it ends, children first. */
  report(span: CapturedSpan, live: Sentry.Span): void {
    const isExplained = this.#explained.delete(span.spanId) && isConsequence(span);
    if (!isFailure(span)) return;
    if (span.parentSpanId !== undefined && failsItsParent(span)) this.#explained.add(span.parentSpanId);
    if (!isExplained && this.#kinds.has(span.kind)) this.#capture(span, live);
  }

  #capture(span: CapturedSpan, live: Sentry.Span): void {
    const { type, message } = span.error ?? { type: 'Error', message: '' };
    const operation = this.#dialect.spanName(span);
    const error = new Error(message === '' || message === type ? `${operation} failed` : message);
    error.name = type;
    // Its stack would be ours, and Sentry would make one issue of all failures.
    error.stack = `${error.name}: ${error.message}`;
    const attributes = Object.entries(this.#dialect.attributes(span)).filter(([key]) => CONTEXT.includes(key));
    const timestamp = msFromUnixNano(span.endedAt ?? span.startedAt) / 1000;
    // Sentry takes two failures for one that look alike and follow each other. Until it has looked, each is of its own kind.
    const kind = live.spanContext().spanId;
    const captureContext = (scope: Sentry.Scope): Sentry.Scope =>
      scope
        .setContext('claude_agent', Object.fromEntries(attributes))
        .setFingerprint([...scope.getScopeData().fingerprint, kind])
        .addEventProcessor(({ fingerprint = [], ...event }) => {
          const own = fingerprint.filter((part) => part !== kind);
          return { ...event, timestamp, ...(own.length === 0 ? {} : { fingerprint: own }) };
        });
    // The failure of a tool was handled, by the model.
    const mechanism = { type: ORIGIN, handled: span.kind === 'tool', data: { function: operation } };
    Sentry.withActiveSpan(live, () => Sentry.captureException(error, { mechanism, captureContext }));
  }
}

function isFailure(span: CapturedSpan): boolean {
  // A denied call is a decision.
  return span.status === 'error' && !(span.kind === 'tool' && span.denied !== undefined);
}

/** Whether a failure below may be why this failed. */
function isConsequence(span: CapturedSpan): boolean {
  return (
    span.kind === 'tool' || (span.kind === 'agent' && (span.outcome === 'api_error' || span.outcome === 'crashed'))
  );
}

/** A tool that failed does not make its agent fail: the model is told of it and goes on. */
function failsItsParent(span: CapturedSpan): boolean {
  return span.kind === 'llm' || (span.kind === 'agent' && span.role === 'subagent');
}
