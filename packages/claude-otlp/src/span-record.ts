import { OtlpAttributeList } from '@spanprism/core/otlp';
import type { CapturedSpan, TraceId } from '@spanprism/core';
import type { OtlpAttributes, OtlpLink, OtlpSpan, OutgoingSpan } from '@spanprism/core/otlp';
import type { Dialect, DialectLink } from './dialect.ts';

const KINDS = { internal: 1, client: 3 } as const;
const STATUS = { unset: 0, ok: 1, error: 2 } as const;

/** W3C's sampled bit, and OTLP's two bits that say whether the parent is of another process. */
const SAMPLED = 0x1;
const KNOWS_IF_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** A captured span in OTLP, with the ids it has in the trace, spelled by the dialect. */
export function spanRecord(span: CapturedSpan, dialect: Dialect): OutgoingSpan {
  const { traceId, startedAt } = span;
  return {
    traceId,
    spanId: span.spanId,
    parentSpanId: dialect.parentSpanId(span),
    flags: SAMPLED | KNOWS_IF_REMOTE | (span.parentIsRemote === true ? IS_REMOTE : 0),
    name: dialect.spanName(span),
    kind: KINDS[dialect.spanKind(span)],
    startedAt,
    endedAt: span.endedAt ?? startedAt,
    attributes: attributesOf(span, dialect),
    events: dialect.events(span),
    links: linksOf(traceId, dialect.links(span)),
    status: statusOf(span, dialect),
  };
}

function attributesOf(span: CapturedSpan, dialect: Dialect): OtlpAttributes | OtlpAttributeList {
  if (dialect.putAttributes === undefined) return dialect.attributes(span);
  const list = new OtlpAttributeList();
  dialect.putAttributes(span, list);
  return list;
}

const NO_LINKS: readonly OtlpLink[] = [];

function linksOf(traceId: TraceId, links: readonly DialectLink[]): readonly OtlpLink[] {
  if (links.length === 0) return NO_LINKS;
  return links.map(({ spanId, attributes }) => ({ traceId, spanId, attributes }));
}

function statusOf(span: CapturedSpan, dialect: Dialect): OtlpSpan['status'] {
  const { code, message } = dialect.status(span);
  return message === undefined ? { code: STATUS[code] } : { code: STATUS[code], message };
}
