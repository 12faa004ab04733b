import * as Sentry from '@sentry/node';
import type { CapturedSpan, SpanId } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import { FAILURES, type SentryOptions } from './options.ts';
import { seconds } from './places.ts';
import { ORIGIN } from './sentry-dialect.ts';

/** What an error says of the run that it happened in, beside its trace. */
const CONTEXT =
  /^(error\.type|gen_ai\.(conversation\.id|agent\.name|request\.model|tool\.name|tool\.call\.id)|claude\.(request_id|outcome|attempts))$/;

/** Failures as errors in Sentry, each within its span, and once: not again for what failed only because something below it did. */
export class FailureReports {
  readonly #kinds: readonly string[];
  readonly #dialect: Dialect;
  /** Agents and tool calls whose failure has been told of below them. */
  readonly #explained: Set<SpanId> = new Set();

  constructor(captureErrors: SentryOptions['captureErrors'], dialect: Dialect) {
    this.#kinds = captureErrors === false ? [] : Array.isArray(captureErrors) ? captureErrors : FAILURES;
    this.#dialect = dialect;
  }

  /** To be called for every span before it ends, children first. */
  report(span: CapturedSpan, live: Sentry.Span): void {
    const isExplained = this.#explained.delete(span.spanId) && isConsequence(span);
    // A denied call is a decision.
    if (span.status !== 'error' || (span.kind === 'tool' && span.denied !== undefined)) return;
    // A tool that failed does not make its agent fail: the model is told of it and goes on.
    const failsItsParent = span.kind === 'llm' || (span.kind === 'agent' && span.role === 'subagent');
    if (failsItsParent && span.parentSpanId !== undefined) this.#explained.add(span.parentSpanId);
    if (!isExplained && this.#kinds.includes(span.kind)) this.#capture(span, live);
  }

  #capture(span: CapturedSpan, live: Sentry.Span): void {
    const { type, message } = span.error ?? { type: 'Error', message: '' };
    const operation = this.#dialect.spanName(span);
    const error = new Error(message === '' || message === type ? `${operation} failed` : message);
    error.name = type;
    // Its stack would be ours, and Sentry would make one issue of all failures.
    error.stack = `${error.name}: ${error.message}`;
    const attributes = Object.entries(this.#dialect.attributes(span)).filter(([key]) => CONTEXT.test(key));
    const timestamp = seconds(span.endedAt ?? span.startedAt);
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

/** Whether a failure below may be why this failed. */
function isConsequence(span: CapturedSpan): boolean {
  return span.kind === 'tool' || (span.kind === 'agent' && ['api_error', 'crashed'].includes(span.outcome));
}
