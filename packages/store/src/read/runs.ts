import { DIMENSIONS, SUM_COLUMNS } from '../schema.ts';
import type { RunFilter, StoredRun } from '../store.ts';
import { type Condition, conditionOf, limitOf } from './run-filter.ts';
import type { Reader } from './reader.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

const NUMBERS = ['failed', ...SUM_COLUMNS, 'outcome', 'agent', 'user', 'branch'];

/** As one JSON text, because an object with twenty members costs twice as much to come by. */
const RUN_COLUMNS = `json_object('row_id', r.id, 'run_id', r.run_id, 'project', coalesce(r.project, r.folder),
  'started_at', CAST(r.started_at AS TEXT), 'ended_at', CAST(r.ended_at AS TEXT),
  ${NUMBERS.map((column) => `'${column}', r.${column}`).join(', ')})`;

interface RunColumns extends UsageColumns {
  readonly row_id: number;
  readonly run_id: string;
  /** Digits: a double holds no nanoseconds of today. */
  readonly started_at: string;
  readonly ended_at: string;
  readonly failed: number;
  readonly turns: number;
  readonly spans: number;
  readonly llm_calls: number;
  readonly unpriced_calls: number;
  readonly tool_calls: number;
  readonly errors: number;
  readonly cost: number;
  readonly unattributed: number;
  /** Names. */
  readonly outcome: number | null;
  readonly agent: number | null;
  readonly project: number | null;
  readonly user: number | null;
  readonly branch: number | null;
}

export interface FoundRun {
  readonly rowId: number;
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
  const found = reader.all<{ readonly columns: string }>(`SELECT ${RUN_COLUMNS} AS columns FROM run r ${rest}`, values);
  const rows = found.map(({ columns }) => JSON.parse(columns) as RunColumns);
  const ids = JSON.stringify(rows.map(({ row_id }) => row_id));
  const models = namesByRun(reader, `run_cost WHERE dimension = ${DIMENSIONS.model} AND run`, ids);
  const tags = namesByRun(reader, 'run_tag WHERE run', ids);
  return rows.map((row) => {
    const lists = { models: models.get(row.row_id) ?? [], tags: tags.get(row.row_id) ?? [] };
    return { rowId: row.row_id, run: runOf(row, lists, reader) };
  });
}

/** Of many runs in one query. */
function namesByRun(reader: Reader, place: string, ids: string): Map<number, string[]> {
  const column = place.startsWith('run_tag') ? 'tag' : 'name';
  const rows = reader.all<{ readonly run: number; readonly name: number }>(
    `SELECT run, ${column} AS name FROM ${place} IN (SELECT value FROM json_each(?))`,
    [ids],
  );
  const names = new Map<number, string[]>();
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
    startedAt: BigInt(row.started_at),
    endedAt: BigInt(row.ended_at),
    failed: row.failed === 1,
    ...(outcome === null ? {} : { outcome: reader.name(outcome) }),
    ...(agent === null ? {} : { agentName: reader.name(agent) }),
    ...(project === null ? {} : { project: reader.name(project) }),
    ...(user === null ? {} : { user: reader.name(user) }),
    ...(branch === null ? {} : { branch: reader.name(branch) }),
    ...lists,
    turns: row.turns,
    spans: row.spans,
    llmCalls: row.llm_calls,
    unpricedCalls: row.unpriced_calls,
    toolCalls: row.tool_calls,
    errors: row.errors,
    usage: usageOf(row) ?? {},
    costNanoUsd: row.cost,
    unattributedNanoUsd: row.unattributed,
  };
}
