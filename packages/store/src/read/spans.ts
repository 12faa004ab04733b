import { type Member, sharesOf } from '../shares.ts';
import { KINDS, STATUSES } from '../span-row.ts';
import type { StoredSpan } from '../store.ts';
import type { BodyReader } from './bodies.ts';
import type { Reader } from './reader.ts';
import type { Condition } from './run-filter.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

const SPAN_COLUMNS = `s.run AS run_row, r.run_id, s.kind, s.status, s.started_at, s.duration, s.carries, s.body, s.line,
  lower(hex(s.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, lower(hex(s.parent_id)) AS parent_id,
  s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.cost,
  s.name, s.agent, s.error_type, s.outcome, s.mcp_server`;

interface SpanColumns extends UsageColumns {
  readonly run_row: bigint;
  readonly run_id: string;
  readonly kind: bigint;
  readonly status: bigint;
  readonly started_at: bigint;
  readonly duration: bigint;
  readonly carries: bigint;
  readonly body: bigint;
  readonly line: bigint;
  readonly trace_id: string;
  readonly span_id: string;
  /** Empty for none: `hex` of nothing. */
  readonly parent_id: string;
  readonly cost: bigint | null;
  readonly name: bigint;
  readonly agent: bigint | null;
  readonly error_type: bigint | null;
  readonly outcome: bigint | null;
  readonly mcp_server: bigint | null;
}

/** What spans are read with. */
export interface SpanReader {
  readonly reader: Reader;
  readonly bodies: BodyReader;
}

export interface FoundSpan {
  readonly runRowId: bigint;
  readonly carriesResults: boolean;
  readonly span: StoredSpan;
}

/** `rest` follows `span s JOIN run r`. */
export function selectSpans(from: SpanReader, { sql, values }: Condition): FoundSpan[] {
  const rows = from.reader.exact<SpanColumns>(
    `SELECT ${SPAN_COLUMNS} FROM span s JOIN run r ON r.id = s.run ${sql}`,
    values,
  );
  return rows.map((row) => ({ runRowId: row.run_row, carriesResults: row.carries === 1n, span: spanOf(row, from) }));
}

function spanOf(row: SpanColumns, { reader, bodies }: SpanReader): StoredSpan {
  const kind = KINDS[Number(row.kind)] ?? 'custom';
  const { agent, error_type, outcome, mcp_server, cost } = row;
  const usage = kind === 'llm' ? usageOf(row) : undefined;
  return {
    runId: row.run_id,
    kind,
    name: reader.name(row.name),
    traceId: row.trace_id,
    spanId: row.span_id,
    ...(row.parent_id === '' ? {} : { parentSpanId: row.parent_id }),
    startedAt: row.started_at,
    endedAt: row.started_at + row.duration,
    status: STATUSES[Number(row.status)] ?? 'ok',
    ...(error_type === null ? {} : { errorType: reader.name(error_type) }),
    ...(agent === null ? {} : { agentName: reader.name(agent) }),
    ...(mcp_server === null ? {} : { mcpServer: reader.name(mcp_server) }),
    ...(outcome === null ? {} : { outcome: reader.name(outcome) }),
    ...(usage === undefined ? {} : { usage }),
    ...(kind !== 'llm' || cost === null ? {} : { costNanoUsd: Number(cost) }),
    body: () => bodies.read(Number(row.body), Number(row.line)),
  };
}

/** The spans of a run, tool calls with what they are given of the calls' cost. */
export function withShares(found: readonly FoundSpan[]): readonly StoredSpan[] {
  const groups = new Map<string, (Member & { readonly span: StoredSpan })[]>();
  for (const { span, carriesResults } of found) {
    const { parentSpanId, kind, costNanoUsd = null } = span;
    if (parentSpanId === undefined || (kind !== 'llm' && kind !== 'tool')) continue;
    const { spanId, startedAt, endedAt } = span;
    const member = { span, spanId, isCall: kind === 'llm', carriesResults, startedAt, endedAt, costNanoUsd };
    const group = groups.get(parentSpanId);
    if (group === undefined) groups.set(parentSpanId, [member]);
    else group.push(member);
  }
  const shares = new Map<StoredSpan, number>();
  for (const group of groups.values()) for (const [{ span }, share] of sharesOf(group)) shares.set(span, share);
  return found.map(({ span }) => {
    const carriedNanoUsd = shares.get(span);
    return carriedNanoUsd === undefined ? span : { ...span, carriedNanoUsd };
  });
}

/** In order of their starts, but no child before its parent, whatever the clocks say. */
export function inTreeOrder(spans: readonly StoredSpan[]): readonly StoredSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = new Map<string | undefined, StoredSpan[]>();
  for (const span of spans) {
    const parent = span.parentSpanId !== undefined && ids.has(span.parentSpanId) ? span.parentSpanId : undefined;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [span]);
    else siblings.push(span);
  }
  const ordered: StoredSpan[] = [];
  const waiting = [...(children.get(undefined) ?? [])].reverse();
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    ordered.push(span);
    waiting.push(...(children.get(span.spanId) ?? []).toReversed());
  }
  return ordered;
}
