import { addUsage, type Usage } from '@spanprism/core/terminal';
import type { CostDimension, CostReport, CostRow } from '@spanprism/store';

/** A row of the report, of the rows that were too many to show, or of what belongs to none. */
export interface FoldedRow {
  readonly kind: 'row' | 'others' | 'unattributed';
  readonly name: string;
  /** Rows that this one stands for. */
  readonly rows: number;
  readonly calls: number;
  /** Failed ones among the calls; of a grouping of whole runs nobody counts them. */
  readonly errors?: number;
  readonly usage?: Usage;
  readonly costNanoUsd: number;
}

export interface FoldedReport extends Omit<CostReport, 'rows'> {
  readonly rows: readonly FoldedRow[];
}

/** What a run is one of. */
const OF_RUNS: ReadonlySet<CostDimension> = new Set(['session', 'project', 'user', 'branch']);

/** At most so many rows: the others become one, so that the sum stays what it was. Days go from the newest back. */
export function foldRows(report: CostReport, limit: number | undefined): FoldedReport {
  const named = report.rows.filter(({ isUnattributed }) => !isUnattributed);
  if (report.by === 'day') named.sort((left, right) => (left.name < right.name ? 1 : -1));
  const shown = named.slice(0, limit);
  const others = named.slice(shown.length);
  const fold = OF_RUNS.has(report.by) ? foldedRuns : folded;
  const rest = report.rows.filter(({ isUnattributed }) => isUnattributed);
  return {
    ...report,
    rows: [
      ...shown.map((row) => fold([row], 'row', row.name)),
      ...(others.length === 0
        ? []
        : [fold(others, 'others', others.length === 1 ? '1 other' : `${others.length} others`)]),
      ...rest.map((row) => fold([row], 'unattributed', row.name)),
    ],
  };
}

function folded(rows: readonly CostRow[], kind: FoldedRow['kind'], name: string): FoldedRow {
  const sum = (figure: (row: CostRow) => number): number => rows.reduce((total, row) => total + figure(row), 0);
  const usages = rows.flatMap(({ usage }) => usage ?? []);
  return {
    kind,
    name,
    rows: rows.length,
    calls: sum(({ calls }) => calls),
    errors: sum(({ errors }) => errors),
    ...(usages.length === 0 ? {} : { usage: usages.reduce(addUsage) }),
    costNanoUsd: sum(({ costNanoUsd }) => costNanoUsd),
  };
}

function foldedRuns(rows: readonly CostRow[], kind: FoldedRow['kind'], name: string): FoldedRow {
  const { errors: _, ...row } = folded(rows, kind, name);
  return row;
}
