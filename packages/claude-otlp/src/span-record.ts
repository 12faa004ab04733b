import type { CapturedSpan } from '@spanprism/core';
import type { OtlpSpan } from '@spanprism/core/otlp';
import type { Dialect } from './dialect.ts';

const KINDS = { internal: 1, client: 3 } as const;
const STATUS = { unset: 0, ok: 1, error: 2 } as const;

/** W3C's sampled bit, and OTLP's two bits that say whether the parent is of another process. */
const SAMPLED = 0x1;
const KNOWS_IF_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** A captured span in OTLP, with the ids it has in the trace, spelled by the dialect. */
export function spanRecord(span: CapturedSpan, dialect: Dialect): OtlpSpan {
  const { traceId, startedAt } = span;
  const parentSpanId = dialect.parentSpanId(span);
  const { code, message } = dialect.status(span);
  return {
    traceId,
    spanId: span.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    flags: SAMPLED | KNOWS_IF_REMOTE | (span.parentIsRemote === true ? IS_REMOTE : 0),
    name: dialect.spanName(span),
    kind: KINDS[dialect.spanKind(span)],
    startedAt,
    endedAt: span.endedAt ?? startedAt,
    attributes: dialect.attributes(span),
    events: dialect.events(span),
    links: dialect.links(span).map((link) => ({ traceId, ...link })),
    status: { code: STATUS[code], ...(message === undefined ? {} : { message }) },
  };
}
