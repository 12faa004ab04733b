import { ConfigurationError } from '@spanprism/core';
import { DIMENSIONS } from '../schema.ts';
import { nanoUsd } from '../span-row.ts';
import type { RunFilter } from '../store.ts';

type Value = string | number | bigint;

/** A condition on `run AS r`, with what its question marks stand for. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

const named = (column: string): string => `${column} = (SELECT id FROM name WHERE text = ?)`;

/** What each field asks of a run. */
const CONDITIONS: {
  readonly [K in Exclude<keyof RunFilter, 'limit'>]-?: (value: NonNullable<RunFilter[K]>) => Condition;
} = {
  since: (time) => ({ sql: 'r.ended_at >= ?', values: [time] }),
  until: (time) => ({ sql: 'r.started_at < ?', values: [time] }),
  failed: (failed) => ({ sql: `r.failed = ${failed ? 1 : 0}`, values: [] }),
  project: (name) => ({ sql: named('coalesce(r.project, r.folder)'), values: [name] }),
  user: (name) => ({ sql: named('r.user'), values: [name] }),
  branch: (name) => ({ sql: named('r.branch'), values: [name] }),
  model: (name) => ({
    sql: `EXISTS (SELECT 1 FROM run_cost c WHERE c.run = r.id AND c.dimension = ${DIMENSIONS.model} AND ${named('c.name')})`,
    values: [name],
  }),
  tag: (name) => ({
    sql: `EXISTS (SELECT 1 FROM run_tag t WHERE t.run = r.id AND ${named('t.tag')})`,
    values: [name],
  }),
  minCostUsd: (usd) => ({ sql: 'r.cost >= ?', values: [nanoUsd(usd)] }),
};

/** The condition of a filter, `limit` aside; undefined when every run matches. */
export function conditionOf(filter: RunFilter): Condition | undefined {
  const conditions = Object.entries(filter)
    .filter(([name, value]) => name !== 'limit' && value !== undefined)
    .map(([name, value]) => {
      const condition = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name as keyof typeof CONDITIONS] : undefined;
      if (condition === undefined) {
        throw new ConfigurationError(
          'invalid_filter',
          `a filter of runs has no ${name}; it has ${Object.keys(CONDITIONS).join(', ')} and limit`,
        );
      }
      // The field and its condition belong together; a record of functions does not say so.
      return (condition as (value: unknown) => Condition)(value);
    });
  if (conditions.length === 0) return undefined;
  return { sql: conditions.map(({ sql }) => sql).join(' AND '), values: conditions.flatMap(({ values }) => values) };
}

/** How many at most; -1, SQLite's word for all. */
export function limitOf({ limit }: RunFilter): number {
  if (limit === undefined) return -1;
  if (Number.isInteger(limit) && limit >= 0) return limit;
  throw new ConfigurationError('invalid_filter', `limit is ${limit}; it can be a whole number, 0 or more`);
}
