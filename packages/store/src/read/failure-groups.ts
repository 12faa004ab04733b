import { AGENT, ERROR, KINDS, LLM } from '../span-row.ts';
import type { FailureGroup, RunFilter, StoredRun } from '../store.ts';
import { conditionOf, limitOf } from './run-filter.ts';
import { runByRowId } from './runs.ts';
import { selectSpans, type SpanReader } from './spans.ts';

/** Whatever the model, it is the API that failed; of an agent the outcome tells more than the error's type. */
const GROUP = `s.kind AS kind, CASE s.kind WHEN ${LLM} THEN NULL ELSE s.name END AS what,
  CASE s.kind WHEN ${AGENT} THEN s.outcome ELSE s.error_type END AS cause`;

interface GroupColumns {
  readonly kind: bigint;
  readonly what: bigint | null;
  readonly cause: bigint | null;
  readonly count: bigint;
  readonly runs: bigint;
  readonly last: bigint;
  /** Of the row with that maximum: SQLite takes bare columns from there. */
  readonly id: bigint;
}

/** Grouped by the database: it reads the columns of failed spans alone, and of whole spans the last of each group. */
export function failureGroups(from: SpanReader, filter: RunFilter): readonly FailureGroup[] {
  const condition = conditionOf(filter);
  const rest = `FROM span s JOIN run r ON r.id = s.run WHERE s.status = ${ERROR} AND ${condition?.sql ?? 'true'} GROUP BY 1, 2, 3`;
  const all = <T>(columns: string, order: string): readonly T[] =>
    from.reader.exact<T>(`SELECT ${GROUP}, ${columns} ${rest} ${order}`, condition?.values);
  const groups = all<GroupColumns>(
    'count(*) AS count, count(DISTINCT s.run) AS runs, max(s.started_at + s.duration) AS last, s.id AS id',
    `ORDER BY count DESC, last DESC LIMIT ${limitOf(filter)}`,
  );
  // Apart from the other extreme, from which bare columns would be taken too.
  const firsts = new Map(
    all<GroupColumns & { readonly first: bigint }>('min(s.started_at + s.duration) AS first', '').map((row) => [
      keyOf(row),
      row.first,
    ]),
  );
  return groups.flatMap((row): FailureGroup[] => {
    const latest = failureOf(from, row.id);
    if (latest === undefined) return [];
    const name = row.what === null ? undefined : latest.span.name;
    const cause = row.kind === BigInt(AGENT) ? latest.span.outcome : latest.span.errorType;
    return [
      {
        kind: KINDS[Number(row.kind)] ?? 'custom',
        ...(name === undefined ? {} : { name }),
        ...(cause === undefined ? {} : { cause }),
        count: Number(row.count),
        runs: Number(row.runs),
        firstSeenAt: firsts.get(keyOf(row)) ?? row.last,
        lastSeenAt: row.last,
        latest,
      },
    ];
  });
}

function keyOf({ kind, what, cause }: GroupColumns): string {
  return `${kind}/${what}/${cause}`;
}

function failureOf(from: SpanReader, id: bigint): FailureGroup['latest'] | undefined {
  const [found] = selectSpans(from, { sql: 'WHERE s.id = ?', values: [id] });
  const run: StoredRun | undefined = found && runByRowId(from.reader, found.runRowId);
  return found === undefined || run === undefined ? undefined : { run, span: found.span };
}
