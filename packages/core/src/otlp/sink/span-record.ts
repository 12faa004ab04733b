import type {
  Dialect,
  DialectEvent,
  DialectLink,
  DialectRecord,
  DialectSpanKind,
  SpanLimits,
} from '../../dialect/dialect.ts';
import type { TraceId } from '../../model/ids.ts';
import type { CapturedSpan } from '../../model/sink.ts';
import { OtlpAttributeList, type OutgoingSpan } from '../encode/attribute-list.ts';
import type { OtlpAttributes, OtlpLink, OtlpSpan } from '../records.ts';
import { LimitedAttributes, limitedAttributes } from './limited-attributes.ts';

const KINDS: Readonly<Record<DialectSpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS = { unset: 0, ok: 1, error: 2 } as const;

/** W3C's sampled bit, and OTLP's two bits that say whether the parent is of another process. */
const SAMPLED = 0x1;
const KNOWS_IF_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** A captured span in OTLP, with the ids it has in the trace, spelled by the dialect and within the backend's limits. */
export function spanRecord(span: CapturedSpan, dialect: Dialect, limits?: SpanLimits): OutgoingSpan {
  const { traceId, startedAt } = span;
  const limited = limits === undefined ? undefined : withinLimits(span, dialect, limits);
  return {
    traceId,
    spanId: span.spanId,
    parentSpanId: dialect.parentSpanId(span),
    flags: SAMPLED | KNOWS_IF_REMOTE | (span.parentIsRemote === true ? IS_REMOTE : 0),
    name: dialect.spanName(span),
    kind: KINDS[dialect.spanKind(span)],
    startedAt,
    endedAt: span.endedAt ?? startedAt,
    attributes: limited === undefined ? attributesOf(span, dialect) : limited.attributes,
    droppedAttributes: limited === undefined ? 0 : limited.droppedAttributes,
    events: limited === undefined ? dialect.events(span) : limited.events,
    links: linksOf(traceId, dialect.links(span)),
    status: statusOf(span, dialect),
  };
}

/** A record that the dialect adds of its own. */
export function extraRecord(traceId: TraceId, record: DialectRecord, limits: SpanLimits = {}): OutgoingSpan {
  return {
    ...record,
    traceId,
    flags: SAMPLED | KNOWS_IF_REMOTE,
    kind: KINDS[record.kind],
    attributes: limitedAttributes(record.attributes, limits),
    events: [],
    links: NO_LINKS,
    status: { code: STATUS.unset },
  };
}

function attributesOf(span: CapturedSpan, dialect: Dialect): OtlpAttributes | OtlpAttributeList {
  if (dialect.putAttributes === undefined) return dialect.attributes(span);
  const list = new OtlpAttributeList();
  dialect.putAttributes(span, list);
  return list;
}

interface Limited {
  readonly attributes: OtlpAttributeList;
  readonly droppedAttributes: number;
  readonly events: readonly DialectEvent[];
}

function withinLimits(span: CapturedSpan, dialect: Dialect, limits: SpanLimits): Limited {
  const taker = new LimitedAttributes(limits);
  if (dialect.putAttributes === undefined) {
    for (const [key, value] of Object.entries(dialect.attributes(span))) taker.put(key, value);
  } else {
    dialect.putAttributes(span, taker);
  }
  const droppedAttributes = taker.finish();
  const events = dialect.events(span);
  return {
    attributes: taker.list,
    droppedAttributes,
    events: events.map((event) => ({ ...event, attributes: limitedAttributes(event.attributes, limits) })),
  };
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
