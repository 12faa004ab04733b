import { type Member, sharesOf } from '../shares.ts';
import { KINDS, STATUSES } from '../span-row.ts';
import type { StoredSpan } from '../store.ts';
import type { BodyReader } from './bodies.ts';
import type { Reader } from './reader.ts';
import type { Condition } from './run-filter.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

/** In the order of `SpanColumns`; as one JSON text, because an object with twenty members costs twice as much to come by. */
const SPAN_COLUMNS = `json_array(s.run, r.run_id, s.kind, s.status, CAST(s.started_at AS TEXT), CAST(s.duration AS TEXT), s.carries,
  s.body, s.line, lower(hex(s.trace_id)), lower(hex(s.span_id)), lower(hex(s.parent_id)), s.input_tokens, s.output_tokens,
  s.cache_read_tokens, s.cache_write_tokens, s.cost, s.name, s.agent, s.error_type, s.outcome, s.mcp_server)`;

type SpanColumns = readonly [
  run: number,
  runId: string,
  kind: number,
  status: number,
  /** Digits: a double holds no nanoseconds of today. */
  startedAt: string,
  duration: string,
  carries: number,
  body: number,
  line: number,
  traceId: string,
  spanId: string,
  /** Empty for none: `hex` of nothing. */
  parentId: string,
  inputTokens: number | null,
  outputTokens: number | null,
  cacheReadTokens: number | null,
  cacheWriteTokens: number | null,
  cost: number | null,
  name: number,
  agent: number | null,
  errorType: number | null,
  outcome: number | null,
  mcpServer: number | null,
];

/** What spans are read with. */
export interface SpanReader {
  readonly reader: Reader;
  readonly bodies: BodyReader;
}

type Draft = { -readonly [K in keyof StoredSpan]: StoredSpan[K] };

export interface FoundSpan {
  readonly runRowId: number;
  readonly carriesResults: boolean;
  readonly span: Draft;
}

/** `sql` follows `span s JOIN run r`. */
export function selectSpans(from: SpanReader, { sql, values }: Condition): FoundSpan[] {
  const query = `SELECT ${SPAN_COLUMNS} AS columns FROM span s JOIN run r ON r.id = s.run ${sql}`;
  const rows = from.reader.all<{ readonly columns: string }>(query, values);
  return rows.map(({ columns }) => foundSpan(JSON.parse(columns) as SpanColumns, from));
}

function foundSpan(columns: SpanColumns, { reader, bodies }: SpanReader): FoundSpan {
  const [runRowId, runId, kindCode, status, start, duration, carries, body, line, traceId, spanId, parentId, ...rest] =
    columns;
  const [input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost, name, ...names] = rest;
  const [agent, errorType, outcome, mcpServer] = names;
  const kind = KINDS[kindCode] ?? 'custom';
  const startedAt = BigInt(start);
  const tokens = { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens };
  const span: Draft = {
    runId,
    kind,
    name: reader.name(name),
    traceId,
    spanId,
    startedAt,
    endedAt: startedAt + BigInt(duration),
    status: STATUSES[status] ?? 'ok',
    body: () => bodies.read(body, line),
  };
  // One by one: a spread for each that may be missing takes longer than all the rest.
  if (parentId !== '') span.parentSpanId = parentId;
  if (errorType !== null) span.errorType = reader.name(errorType);
  if (agent !== null) span.agentName = reader.name(agent);
  if (mcpServer !== null) span.mcpServer = reader.name(mcpServer);
  if (outcome !== null) span.outcome = reader.name(outcome);
  if (kind === 'llm') addFigures(span, tokens, cost);
  return { runRowId, carriesResults: carries === 1, span };
}

function addFigures(span: Draft, tokens: UsageColumns, cost: number | null): void {
  const usage = usageOf(tokens);
  if (usage !== undefined) span.usage = usage;
  if (cost !== null) span.costNanoUsd = cost;
}

/** The spans of a run, tool calls with what they are given of the calls' cost. */
export function withShares(found: readonly FoundSpan[]): readonly StoredSpan[] {
  const groups = new Map<string, (Member & { readonly span: Draft })[]>();
  for (const { span, carriesResults } of found) {
    const { parentSpanId, kind, costNanoUsd = null } = span;
    if (parentSpanId === undefined || (kind !== 'llm' && kind !== 'tool')) continue;
    const { spanId, startedAt, endedAt } = span;
    const member = { span, spanId, isCall: kind === 'llm', carriesResults, startedAt, endedAt, costNanoUsd };
    const group = groups.get(parentSpanId);
    if (group === undefined) groups.set(parentSpanId, [member]);
    else group.push(member);
  }
  for (const group of groups.values()) {
    for (const [{ span }, share] of sharesOf(group)) span.carriedNanoUsd = share;
  }
  return found.map(({ span }) => span);
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
