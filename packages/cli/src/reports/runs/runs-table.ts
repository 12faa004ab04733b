import { count, duration, msBetween, type Screen, type Segment } from '@spanprism/core/terminal';
import type { StoredRun } from '@spanprism/store';
import { localTime } from '../local-time.ts';
import { dollars } from '../money.ts';
import { shortIds } from '../report.ts';
import { endingOf } from '../run-ending.ts';
import { type Column, renderTable } from '../table.ts';

/** One line per run. */
export function runsTable(runs: readonly StoredRun[], screen: Screen): string {
  const idOf = shortIds(runs.map(({ id }) => id));
  const run: Column<StoredRun> = { title: 'run', cell: ({ id }) => ['accent', idOf(id)] };
  return renderTable({ columns: [run, ...COLUMNS], rows: runs }, screen);
}

const COLUMNS: readonly Column<StoredRun>[] = [
  { title: 'started', cell: (run) => localTime(run.startedAt) },
  { title: 'took', align: 'right', cell: (run) => duration(msBetween(run.startedAt, run.endedAt)), dispensable: 4 },
  { title: 'ended', cell: endingCell },
  { title: 'project', cell: (run) => run.project ?? '', flexes: true },
  { title: 'branch', cell: (run) => run.branch ?? '', dispensable: 7 },
  { title: 'user', cell: (run) => run.user ?? '', dispensable: 6 },
  { title: 'tags', cell: (run) => run.tags.join(', '), dispensable: 8 },
  { title: 'models', cell: (run) => run.models.join(', '), dispensable: 5 },
  { title: 'calls', align: 'right', cell: (run) => count(run.llmCalls), dispensable: 2 },
  { title: 'tools', align: 'right', cell: (run) => count(run.toolCalls), dispensable: 2 },
  {
    title: 'errors',
    align: 'right',
    cell: (run) => (run.errors === 0 ? '' : ['bad', count(run.errors)]),
    dispensable: 1,
  },
  { title: 'in', align: 'right', cell: (run) => tokenCount(run.usage.inputTokens), dispensable: 3 },
  { title: 'out', align: 'right', cell: (run) => tokenCount(run.usage.outputTokens), dispensable: 3 },
  { title: 'cost', align: 'right', cell: ({ costNanoUsd }) => ['bold', dollars(costNanoUsd)] },
];

function endingCell(run: StoredRun): Segment {
  const { style, sign, word } = endingOf(run);
  return [style, `${sign} ${word}`];
}

function tokenCount(value: number | undefined): string {
  return value === undefined ? '' : count(value);
}
