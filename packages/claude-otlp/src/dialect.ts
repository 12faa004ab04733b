import type { AttributeValue, CapturedSpan, SpanId, UnixNano } from '@spanprism/core';

/** What OpenTelemetry and OTLP carry alike: scalars and arrays of one type. Everything deeper goes as a JSON string. */
export type DialectValue = AttributeValue | readonly string[] | readonly number[] | readonly boolean[];
export type DialectAttributes = Readonly<Record<string, DialectValue>>;

/** Takes attributes one by one, each key once. What is undefined is not known, and left out: never empty or 0. */
export interface AttributeTaker {
  put(key: string, value: DialectValue | undefined): void;
}

/** OpenTelemetry's span kinds by name, as its API and OTLP number them differently. */
export type DialectSpanKind = 'internal' | 'client';

/** `unset` is how OpenTelemetry says that nothing went wrong. */
export interface DialectStatus {
  readonly code: 'unset' | 'ok' | 'error';
  readonly message?: string;
}

export interface DialectEvent {
  readonly name: string;
  readonly at: UnixNano;
  readonly attributes: DialectAttributes;
}

/** A reference to another span of ours in the same trace that is not its parent. */
export interface DialectLink {
  readonly spanId: SpanId;
  readonly attributes: DialectAttributes;
}

/**
 * How one family of backends spells a span. Every method is pure and total: the same span gives the same answer, no span
 * makes it throw, and the span is not changed.
 */
export interface Dialect {
  readonly name: string;
  spanName(span: CapturedSpan): string;
  spanKind(span: CapturedSpan): DialectSpanKind;
  /** Which span this one hangs below; dialects may draw the tree otherwise than the model does. */
  parentSpanId(span: CapturedSpan): SpanId | undefined;
  attributes(span: CapturedSpan): DialectAttributes;
  /** The same attributes in the same order, without an object that only the encoder would read; optional. */
  putAttributes?(span: CapturedSpan, into: AttributeTaker): void;
  status(span: CapturedSpan): DialectStatus;
  events(span: CapturedSpan): readonly DialectEvent[];
  links(span: CapturedSpan): readonly DialectLink[];
}
