import * as Sentry from '@sentry/node';
import { type CapturedSpan, msFromUnixNano, type SpanId } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';
import { FAILURES, type SentryOptions } from './options.ts';
import { ORIGIN } from './sentry-dialect.ts';

/** What an error says of the run that it happened in, beside its trace. */
const CONTEXT =
  /^(error\.type|gen_ai\.(conversation\.id|agent\.name|request\.model|tool\.name|tool\.call\.id)|claude\.(request_id|outcome|attempts))$/;

/** Failures as errors, each once: not again for what failed because something below it did. To be told of spans before they end, children first. */
export function failureReports(
  captureErrors: SentryOptions['captureErrors'] = true,
  dialect: Dialect,
): (span: CapturedSpan, live: Sentry.Span) => void {
  const kinds: readonly unknown[] = captureErrors === true ? FAILURES : [captureErrors].flat();
  /** Agents and tool calls whose failure has been told of below them. */
  const explained: Set<SpanId> = new Set();
  return (span, live) => {
    const isConsequence = span.kind === 'tool' || (span.kind === 'agent' && /^(api_error|crashed)$/.test(span.outcome));
    const isExplained = explained.delete(span.spanId) && isConsequence;
    // A denied call is a decision.
    if (span.status !== 'error' || (span.kind === 'tool' && span.denied !== undefined)) return;
    // A tool that failed does not make its agent fail: the model is told of it and goes on.
    const failsItsParent = span.kind === 'llm' || (span.kind === 'agent' && span.role === 'subagent');
    if (failsItsParent && span.parentSpanId !== undefined) explained.add(span.parentSpanId);
    if (!isExplained && kinds.includes(span.kind)) capture(span, live, dialect);
  };
}

function capture(span: CapturedSpan, live: Sentry.Span, dialect: Dialect): void {
  const { type, message } = span.error ?? { type: 'Error', message: '' };
  const operation = dialect.spanName(span);
  const error = new Error(message === '' || message === type ? `${operation} failed` : message);
  error.name = type;
  // Its stack would be ours, and Sentry would make one issue of all failures.
  error.stack = `${error.name}: ${error.message}`;
  const attributes = Object.entries(dialect.attributes(span)).filter(([key]) => CONTEXT.test(key));
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
