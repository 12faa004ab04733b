import type { CapturedSpan } from '@spanprism/core';
import type { Dialect } from '@spanprism/core/dialect';

/** The part of a dialect that golden files show. */
export type SpellingDialect = Omit<Dialect, 'resource' | 'limits' | 'putAttributes'>;

/** A trace as a dialect spells it, ready to be written to a golden file: one row per span, times as text. */
export function spelled(dialect: SpellingDialect, spans: readonly CapturedSpan[]): string {
  return `${JSON.stringify(
    spans.map((span) => spell(dialect, span)),
    null,
    2,
  )}\n`;
}

function spell(dialect: SpellingDialect, span: CapturedSpan): object {
  return {
    name: dialect.spanName(span),
    kind: dialect.spanKind(span),
    id: span.spanId,
    parent: dialect.parentSpanId(span) ?? null,
    status: dialect.status(span),
    attributes: dialect.attributes(span),
    events: dialect.events(span).map(({ name, at, attributes }) => ({ name, at: String(at), attributes })),
    links: dialect.links(span),
  };
}
