import { cellsOf, count, cutToCells, duration, msBetween, type Screen, type Segment } from '@spanprism/core/terminal';
import type { StoredRun } from '@spanprism/store';
import { localTime } from '../local-time.ts';
import { costOf } from '../money.ts';
import { shortIds } from '../report.ts';
import { endingOf } from '../run-ending.ts';
import { type Column, renderTable } from '../table.ts';

export interface RunRow {
  readonly run: StoredRun;
  /** What it was asked to do, in one line; empty when nobody knows. */
  readonly prompt: string;
}

/** One line per run. */
export function runsTable(rows: readonly RunRow[], screen: Screen): string {
  const idOf = shortIds(rows.map(({ run }) => run.id));
  const id: Column<RunRow> = { title: 'run', cell: ({ run }) => ['accent', idOf(run.id)] };
  return renderTable({ columns: [id, ...COLUMNS], rows }, screen);
}

const COLUMNS: readonly Column<RunRow>[] = [
  { title: 'started', cell: ({ run }) => localTime(run.startedAt) },
  { title: 'took', align: 'right', cell: ({ run }) => duration(msBetween(run.startedAt, run.endedAt)), dispensable: 5 },
  { title: 'ended', cell: ({ run }) => endingCell(run) },
  { title: 'project', cell: ({ run }) => run.project ?? '' },
  { title: 'branch', cell: ({ run }) => run.branch ?? '', dispensable: 8 },
  { title: 'user', cell: ({ run }) => run.user ?? '', dispensable: 7 },
  { title: 'tags', cell: ({ run }) => run.tags.join(', '), dispensable: 9 },
  { title: 'models', cell: ({ run }) => run.models.join(', '), dispensable: 6 },
  { title: 'calls', align: 'right', cell: ({ run }) => count(run.llmCalls), dispensable: 3 },
  { title: 'tools', align: 'right', cell: ({ run }) => count(run.toolCalls), dispensable: 3 },
  {
    title: 'errors',
    align: 'right',
    cell: ({ run }) => (run.errors === 0 ? '' : ['bad', count(run.errors)]),
    dispensable: 2,
  },
  { title: 'in', align: 'right', cell: ({ run }) => tokenCount(run.usage.inputTokens), dispensable: 4 },
  { title: 'out', align: 'right', cell: ({ run }) => tokenCount(run.usage.outputTokens), dispensable: 4 },
  { title: 'cost', align: 'right', cell: ({ run }) => ['bold', costOf(run)] },
  { title: 'prompt', cell: ({ prompt }) => ['dim', cutTo(prompt)], flexes: true, dispensable: 1 },
];

function endingCell(run: StoredRun): Segment {
  const { style, sign, word } = endingOf(run);
  return [style, `${sign} ${word}`];
}

/** In a pipe too, a prompt of many words is no column. */
const PROMPT_CELLS = 80;

function cutTo(prompt: string): string {
  return cellsOf(prompt) > PROMPT_CELLS ? `${cutToCells(prompt, PROMPT_CELLS - 1)}…` : prompt;
}

function tokenCount(value: number | undefined): string {
  return value === undefined ? '' : count(value);
}
