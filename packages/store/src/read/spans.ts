import { type Member, sharesOf } from '../shares.ts';
import { KINDS, STATUSES } from '../span-row.ts';
import type { StoredSpan } from '../store.ts';
import type { BodyReader } from './bodies.ts';
import type { Reader } from './reader.ts';
import type { Condition } from './run-filter.ts';
import { usageOf } from './usage-columns.ts';

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

/** How many spans come over in one text. */
const PAGE = 10_000;

const OF_RUN = `SELECT max(id) AS last, group_concat(columns) AS columns FROM (SELECT s.id AS id, ${SPAN_COLUMNS} AS columns
  FROM span s JOIN run r ON r.id = s.run WHERE s.run = ? AND s.id > ? ORDER BY s.id LIMIT ${PAGE})`;

/** All of a run, in order of their starts. Not row by row, and sorted here: either costs SQLite a third of the time. */
export function spansOfRun(from: SpanReader, run: number): readonly FoundSpan[] {
  const found: FoundSpan[] = [];
  for (let last = 0; found.length % PAGE === 0; ) {
    const page = from.reader.get<{ readonly last: number; readonly columns: string | null }>(OF_RUN, [run, last]);
    if (page === undefined || page.columns === null) break;
    for (const columns of JSON.parse(`[${page.columns}]`) as SpanColumns[]) found.push(foundSpan(columns, from));
    last = page.last;
  }
  return found.sort((a, b) => (a.span.startedAt < b.span.startedAt ? -1 : a.span.startedAt > b.span.startedAt ? 1 : 0));
}

/** By index, and one by one: taking a list apart, or a spread for each member that may be missing, takes longer than all the rest. */
function foundSpan(columns: SpanColumns, { reader, bodies }: SpanReader): FoundSpan {
  const startedAt = BigInt(columns[4]);
  const kind = KINDS[columns[2]] ?? 'custom';
  const span: Draft = {
    runId: columns[1],
    kind,
    name: reader.name(columns[17]),
    traceId: columns[9],
    spanId: columns[10],
    startedAt,
    endedAt: startedAt + BigInt(columns[5]),
    status: STATUSES[columns[3]] ?? 'ok',
    body: () => bodies.read({ body: columns[7], line: columns[8], spanId: columns[10] }),
  };
  if (columns[11] !== '') span.parentSpanId = columns[11];
  if (columns[18] !== null) span.agentName = reader.name(columns[18]);
  if (columns[19] !== null) span.errorType = reader.name(columns[19]);
  if (columns[20] !== null) span.outcome = reader.name(columns[20]);
  if (columns[21] !== null) span.mcpServer = reader.name(columns[21]);
  if (kind === 'llm') addFigures(span, columns);
  return { runRowId: columns[0], carriesResults: columns[6] === 1, span };
}

function addFigures(span: Draft, columns: SpanColumns): void {
  const usage = usageOf({
    input_tokens: columns[12],
    output_tokens: columns[13],
    cache_read_tokens: columns[14],
    cache_write_tokens: columns[15],
  });
  if (usage !== undefined) span.usage = usage;
  if (columns[16] !== null) span.costNanoUsd = columns[16];
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
