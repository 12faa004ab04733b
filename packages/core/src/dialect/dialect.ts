import type { SpanId } from '../model/ids.ts';
import type { CapturedSpan } from '../model/sink.ts';
import type { Attributes, AttributeValue } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';

/** What OpenTelemetry and OTLP carry alike: scalars and arrays of one type. Everything deeper goes as a JSON string. */
export type DialectValue = AttributeValue | readonly string[] | readonly number[] | readonly boolean[];
export type DialectAttributes = Readonly<Record<string, DialectValue>>;

/** Takes attributes one by one, each key once. What is undefined is not known, and left out: never empty or 0. */
export interface AttributeTaker {
  put(key: string, value: DialectValue | undefined): void;
}

/** OpenTelemetry's span kinds by name, as its API and OTLP number them differently. */
export type DialectSpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

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

/** A record of its own beside that of a span, e.g. one that shows a span while it runs. In the trace of the span. */
export interface DialectRecord {
  readonly spanId: SpanId;
  readonly parentSpanId: SpanId | undefined;
  readonly name: string;
  readonly kind: DialectSpanKind;
  readonly startedAt: UnixNano;
  readonly endedAt: UnixNano;
  readonly attributes: DialectAttributes;
}

/** What a backend takes of one span. What is more is cut or left out before it is sent, as a backend does it without a word. */
export interface SpanLimits {
  /** A whole encoded span: the largest of its values are cut until it fits. */
  readonly maxSpanBytes?: number;
  /** Attributes per span. The first ones stay, so a dialect puts what matters first. */
  readonly maxAttributes?: number;
  /** UTF-8 bytes of one text, also of each text in a list. Text that is JSON stays JSON. */
  readonly maxTextBytes?: number;
  /** Items of a list. */
  readonly maxItems?: number;
}

/**
 * How one family of backends spells a span. Every method is pure and total: the same span gives the same answer, no span
 * makes it throw, and the span is not changed.
 */
export interface Dialect {
  readonly name: string;
  /** What the backend wants to know of the sender; what the user says of his resource wins. */
  readonly resource?: Attributes;
  readonly limits?: SpanLimits;
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
  /** Sent when a span starts, over OTLP alone; nothing unless given. */
  atStart?(span: CapturedSpan): DialectRecord | undefined;
}

/** The attributes as an object, for a dialect that puts them one by one. */
export function collectAttributes(put: (into: AttributeTaker) => void): DialectAttributes {
  const attributes: Record<string, DialectValue> = {};
  put({
    put: (key, value) => {
      if (value !== undefined) attributes[key] = value;
    },
  });
  return attributes;
}
