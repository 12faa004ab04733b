import type { CapturedSpan } from '../model/sink.ts';
import type { DialectEvent } from './dialect.ts';

const NONE: readonly DialectEvent[] = [];

/** A failure as OpenTelemetry records exceptions, for backends that know failures by events of that name. */
export function exceptionEvents(span: CapturedSpan): readonly DialectEvent[] {
  if (span.status !== 'error' || span.error === undefined) return NONE;
  const { type, message } = span.error;
  const words = message === '' ? {} : { 'exception.message': message };
  return [{ name: 'exception', at: span.endedAt ?? span.startedAt, attributes: { 'exception.type': type, ...words } }];
}
