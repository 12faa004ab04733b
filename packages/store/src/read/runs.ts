import { DIMENSIONS } from '../schema.ts';
import type { Database } from '../sqlite.ts';
import type { RunFilter, StoredRun } from '../store.ts';
import { type Condition, conditionOf, limitOf } from './run-filter.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

const RUN_COLUMNS = `r.id AS row_id, r.run_id, r.started_at, r.ended_at, r.failed, r.turns, r.spans, r.llm_calls, r.unpriced_calls,
  r.tool_calls, r.errors, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.cost, r.unattributed,
  (SELECT text FROM name WHERE id = r.outcome) AS outcome,
  (SELECT text FROM name WHERE id = r.agent) AS agent,
  (SELECT text FROM name WHERE id = coalesce(r.project, r.folder)) AS project,
  (SELECT text FROM name WHERE id = r.user) AS user,
  (SELECT text FROM name WHERE id = r.branch) AS branch,
  (SELECT json_group_array(n.text) FROM run_tag t JOIN name n ON n.id = t.tag WHERE t.run = r.id) AS tags,
  (SELECT json_group_array(n.text) FROM run_cost c JOIN name n ON n.id = c.name
    WHERE c.run = r.id AND c.dimension = ${DIMENSIONS.model}) AS models`;

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
  readonly outcome: string | null;
  readonly agent: string | null;
  readonly project: string | null;
  readonly user: string | null;
  readonly branch: string | null;
  readonly tags: string;
  readonly models: string;
}

export interface FoundRun {
  readonly rowId: bigint;
  readonly run: StoredRun;
}

export function findRuns(database: Database, filter: RunFilter): readonly StoredRun[] {
  const condition = conditionOf(filter) ?? { sql: 'true', values: [] };
  return select(database, `WHERE ${condition.sql} ORDER BY r.ended_at DESC, r.id DESC LIMIT ?`, [
    ...condition.values,
    limitOf(filter),
  ]).map(({ run }) => run);
}

/** Those whose id begins so, two at most; one that is exactly so is the only one. */
export function runsByPrefix(database: Database, prefix: string): readonly FoundRun[] {
  const exact = select(database, 'WHERE r.run_id = ?', [prefix]);
  if (exact.length > 0) return exact;
  // Not LIKE: it knows wildcards, and uses no index.
  return select(database, 'WHERE r.run_id >= ? AND r.run_id < ? ORDER BY r.run_id LIMIT 2', [
    prefix,
    `${prefix}\u{10ffff}`,
  ]);
}

export function runByRowId(database: Database, rowId: bigint): StoredRun | undefined {
  return select(database, 'WHERE r.id = ?', [rowId])[0]?.run;
}

function select(database: Database, rest: string, values: Condition['values']): FoundRun[] {
  const statement = database.prepare(`SELECT ${RUN_COLUMNS} FROM run r ${rest}`);
  statement.setReadBigInts(true);
  const rows = statement.all(...values) as unknown as RunColumns[];
  return rows.map((row) => ({ rowId: row.row_id, run: runOf(row) }));
}

function runOf(row: RunColumns): StoredRun {
  const { outcome, agent, project, user, branch } = row;
  return {
    id: row.run_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    failed: row.failed === 1n,
    ...(outcome === null ? {} : { outcome }),
    ...(agent === null ? {} : { agentName: agent }),
    ...(project === null ? {} : { project }),
    ...(user === null ? {} : { user }),
    ...(branch === null ? {} : { branch }),
    tags: JSON.parse(row.tags) as string[],
    models: JSON.parse(row.models) as string[],
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
