import { ConfigurationError } from '@spanprism/core';
import { type Dimension, DIMENSIONS } from '../schema.ts';
import type { CostDimension, CostQuery, CostReport, CostRow } from '../store.ts';
import type { Reader } from './reader.ts';
import { type Condition, conditionOf, limitOf } from './run-filter.ts';
import { type UsageColumns, usageOf } from './usage-columns.ts';

interface Sum extends UsageColumns {
  readonly name: string | null;
  readonly calls: number;
  readonly errors: number;
  readonly cost: number;
}

interface TotalSum extends UsageColumns {
  readonly runs: number;
  readonly calls: number;
  readonly errors: number;
  readonly unpriced_calls: number;
  readonly cost: number;
}

const USAGE = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'] as const;
const SUMS = ['calls', 'errors', ...USAGE, 'cost'];
const added = (table: string): string => SUMS.map((column) => `sum(${table}.${column}) AS ${column}`).join(', ');

/** What a run is one of: a rollup of runs, not of spans. */
const OF_RUNS: Readonly<Partial<Record<CostDimension, string>>> = {
  session: 'r.run_id',
  user: '(SELECT text FROM name WHERE id = r.user)',
  branch: '(SELECT text FROM name WHERE id = r.branch)',
};

/** Dimensions whose rows count tool calls and are given money, no tokens. */
const OF_TOOLS: ReadonlySet<CostDimension> = new Set(['tool', 'mcp-server']);

export const COST_DIMENSIONS: readonly CostDimension[] = [
  'tool',
  'model',
  'project',
  'session',
  'day',
  'user',
  'subagent',
  'mcp-server',
  'branch',
];

/** Without a filter from the store's rollups, else from those of the runs that match. */
export function costReport(reader: Reader, { by, filter = {} }: CostQuery): CostReport {
  const condition = restricted(filter);
  const total = totalOf(reader, condition);
  const sums = sumsBy(reader, by, condition).filter((sum) => !isEmpty(sum));
  const ofTools = OF_TOOLS.has(by);
  const rows = sums
    .flatMap((sum) => (sum.name === null ? [] : [rowOf({ ...sum, name: sum.name }, ofTools)]))
    .sort((a, b) => b.costNanoUsd - a.costNanoUsd || (a.name < b.name ? -1 : 1));
  return {
    by,
    rows: [...rows, restOf(total, sums, ofTools)],
    total: {
      runs: total.runs,
      calls: total.calls,
      unpricedCalls: total.unpriced_calls,
      usage: usageOf(total) ?? {},
      costNanoUsd: total.cost,
    },
  };
}

/** Runs that match, as a condition that heeds `limit` too. */
function restricted(filter: CostQuery['filter'] & object): Condition | undefined {
  const condition = conditionOf(filter);
  const limit = limitOf(filter);
  if (limit === -1) return condition;
  return {
    sql: `r.id IN (SELECT r.id FROM run r WHERE ${condition?.sql ?? 'true'} ORDER BY r.ended_at DESC, r.id DESC LIMIT ?)`,
    values: [...(condition?.values ?? []), limit],
  };
}

function totalOf(reader: Reader, condition: Condition | undefined): TotalSum {
  const { sql, values } = condition ?? { sql: 'true', values: [] };
  const where = `FROM run r WHERE ${sql}`;
  const sums = condition === undefined ? 'total_cost c WHERE true' : `run_cost c WHERE c.run IN (SELECT r.id ${where})`;
  const columns = USAGE.map((column) => `coalesce(sum(c.${column}), 0) AS ${column}`).join(', ');
  const all = reader.get<TotalSum>(
    `SELECT (SELECT count(*) ${where}) AS runs, coalesce(sum(c.calls), 0) AS calls, coalesce(sum(c.errors), 0) AS errors,
       coalesce(sum(c.cost), 0) AS cost, ${columns}
     FROM ${sums} AND c.dimension = ${DIMENSIONS.all}`,
    [...values, ...values],
  );
  const unpriced = reader.get<{ readonly calls: number }>(
    `SELECT coalesce(sum(c.calls), 0) AS calls FROM ${sums} AND c.dimension = ${DIMENSIONS.unpriced}`,
    values,
  );
  // A query of sums always has its one row.
  return { ...(all as TotalSum), unpriced_calls: unpriced?.calls ?? 0 };
}

function sumsBy(reader: Reader, by: CostDimension, condition: Condition | undefined): readonly Sum[] {
  return reader.all<Sum>(sqlOf(by, condition), condition?.values ?? []);
}

function sqlOf(by: CostDimension, condition: Condition | undefined): string {
  const ofRuns = OF_RUNS[by];
  const where = condition?.sql ?? 'true';
  if (ofRuns !== undefined) {
    return `SELECT ${ofRuns} AS name, ${added('c')}
      FROM run r JOIN run_cost c ON c.run = r.id AND c.dimension = ${DIMENSIONS.all} WHERE ${where} GROUP BY 1`;
  }
  if (!COST_DIMENSIONS.includes(by)) {
    throw new ConfigurationError(
      'invalid_dimension',
      `cost by ${JSON.stringify(by)} is not known; by can be ${COST_DIMENSIONS.join(', ')}`,
    );
  }
  const dimension = DIMENSIONS[by as Dimension];
  if (condition === undefined) {
    return `SELECT n.text AS name, ${SUMS.map((column) => `c.${column}`).join(', ')}
      FROM total_cost c JOIN name n ON n.id = c.name WHERE c.dimension = ${dimension}`;
  }
  return `SELECT n.text AS name, ${added('c')} FROM run r JOIN run_cost c ON c.run = r.id JOIN name n ON n.id = c.name
    WHERE c.dimension = ${dimension} AND ${where} GROUP BY c.name`;
}

/** Left of a name under which calls went until their agent was known. */
function isEmpty(sum: Sum): boolean {
  const { calls, errors, cost, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = sum;
  return [calls, errors, cost, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens].every(
    (value) => !value,
  );
}

function rowOf(sum: Sum & { readonly name: string }, ofTools: boolean): CostRow {
  const usage = ofTools ? undefined : (usageOf(sum) ?? {});
  return {
    name: sum.name,
    isUnattributed: false,
    calls: sum.calls,
    errors: sum.errors,
    ...(usage === undefined ? {} : { usage }),
    costNanoUsd: sum.cost,
  };
}

/** What the rows leave of the total. */
function restOf(total: TotalSum, sums: readonly Sum[], ofTools: boolean): CostRow {
  const named = sums.filter(({ name }) => name !== null);
  const rest = (column: keyof UsageColumns | 'calls' | 'errors' | 'cost'): number =>
    Number(total[column] ?? 0) - named.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);
  const usage = {
    inputTokens: rest('input_tokens'),
    outputTokens: rest('output_tokens'),
    cacheReadTokens: rest('cache_read_tokens'),
    cacheWriteTokens: rest('cache_write_tokens'),
  };
  return {
    name: 'unattributed',
    isUnattributed: true,
    calls: ofTools ? 0 : rest('calls'),
    errors: ofTools ? 0 : rest('errors'),
    ...(ofTools ? {} : { usage }),
    costNanoUsd: rest('cost'),
  };
}
