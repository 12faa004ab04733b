import { DIMENSIONS } from '../schema.ts';
import type { RunFilter, StoredRun } from '../store.ts';
import { type Condition, conditionOf, limitOf } from './run-filter.ts';
import type { Reader } from './reader.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

const RUN_COLUMNS = `r.id AS row_id, r.run_id, r.started_at, r.ended_at, r.failed, r.turns, r.spans, r.llm_calls, r.unpriced_calls,
  r.tool_calls, r.errors, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cost, r.unattributed,
  r.outcome, r.agent, coalesce(r.project, r.folder) AS project, r.user, r.branch`;

interface RunColumns extends UsageColumns {
  readonly row_id: bigint;
  readonly run_id: string;
  readonly started_at: bigint;
  readonly ended_at: bigint;
  readonly failed: bigint;
  readonly turns: bigint;
  readonly spans: bigint;
  readonly llm_calls: bigint;
  readonly unpriced_calls: bigint;
  readonly tool_calls: bigint;
  readonly errors: bigint;
  readonly cost: bigint;
  readonly unattributed: bigint;
  readonly outcome: bigint | null;
  readonly agent: bigint | null;
  readonly project: bigint | null;
  readonly user: bigint | null;
  readonly branch: bigint | null;
}

export interface FoundRun {
  readonly rowId: bigint;
  readonly run: StoredRun;
}

export function findRuns(reader: Reader, filter: RunFilter): readonly StoredRun[] {
  const condition = conditionOf(filter) ?? { sql: 'true', values: [] };
  return select(reader, `WHERE ${condition.sql} ORDER BY r.ended_at DESC, r.id DESC LIMIT ?`, [
    ...condition.values,
    limitOf(filter),
  ]).map(({ run }) => run);
}

/** Those whose id begins so, two at most; one that is exactly so is the only one. */
export function runsByPrefix(reader: Reader, prefix: string): readonly FoundRun[] {
  const exact = select(reader, 'WHERE r.run_id = ?', [prefix]);
  if (exact.length > 0) return exact;
  // Not LIKE: it knows wildcards, and uses no index.
  return select(reader, 'WHERE r.run_id >= ? AND r.run_id < ? ORDER BY r.run_id LIMIT 2', [
    prefix,
    `${prefix}\u{10ffff}`,
  ]);
}

export function runByRowId(reader: Reader, rowId: number): StoredRun | undefined {
  return select(reader, 'WHERE r.id = ?', [rowId])[0]?.run;
}

function select(reader: Reader, rest: string, values: Condition['values']): FoundRun[] {
  const rows = reader.exact<RunColumns>(`SELECT ${RUN_COLUMNS} FROM run r ${rest}`, values);
  const ids = JSON.stringify(rows.map(({ row_id }) => Number(row_id)));
  const models = namesByRun(reader, `run_cost WHERE dimension = ${DIMENSIONS.model} AND run`, ids);
  const tags = namesByRun(reader, 'run_tag WHERE run', ids);
  return rows.map((row) => {
    const lists = { models: models.get(row.row_id) ?? [], tags: tags.get(row.row_id) ?? [] };
    return { rowId: row.row_id, run: runOf(row, lists, reader) };
  });
}

/** Of many runs in one query. */
function namesByRun(reader: Reader, place: string, ids: string): Map<bigint, string[]> {
  const column = place.startsWith('run_tag') ? 'tag' : 'name';
  const rows = reader.exact<{ readonly run: bigint; readonly name: bigint }>(
    `SELECT run, ${column} AS name FROM ${place} IN (SELECT value FROM json_each(?))`,
    [ids],
  );
  const names = new Map<bigint, string[]>();
  for (const { run, name } of rows) {
    const text = reader.name(name);
    const list = names.get(run);
    if (list === undefined) names.set(run, [text]);
    else list.push(text);
  }
  return names;
}

function runOf(row: RunColumns, lists: Pick<StoredRun, 'models' | 'tags'>, reader: Reader): StoredRun {
  const { outcome, agent, project, user, branch } = row;
  return {
    id: row.run_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    failed: row.failed === 1n,
    ...(outcome === null ? {} : { outcome: reader.name(outcome) }),
    ...(agent === null ? {} : { agentName: reader.name(agent) }),
    ...(project === null ? {} : { project: reader.name(project) }),
    ...(user === null ? {} : { user: reader.name(user) }),
    ...(branch === null ? {} : { branch: reader.name(branch) }),
    ...lists,
    turns: Number(row.turns),
    spans: Number(row.spans),
    llmCalls: Number(row.llm_calls),
    unpricedCalls: Number(row.unpriced_calls),
    toolCalls: Number(row.tool_calls),
    errors: Number(row.errors),
    usage: usageOf(row) ?? {},
    costNanoUsd: Number(row.cost),
    unattributedNanoUsd: Number(row.unattributed),
  };
}
