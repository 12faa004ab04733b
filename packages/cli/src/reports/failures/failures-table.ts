import { count, type Screen, type Segment } from '@spanprism/core/terminal';
import { textLine } from '../content-lines.ts';
import { localTime } from '../local-time.ts';
import { shortIds } from '../report.ts';
import { inputLine, notCaptured } from '../span-content.ts';
import { type Column, renderTable } from '../table.ts';
import type { FailureGroup } from './failure-groups.ts';

/** One line per kind of failure, and below it what the last of them was given and said. */
export function failuresTable(groups: readonly FailureGroup[], screen: Screen): string {
  const idOf = shortIds(groups.map(({ latest }) => latest.run.id));
  const run: Column<FailureGroup> = { title: 'run', cell: ({ latest }) => ['accent', idOf(latest.run.id)] };
  return renderTable({ columns: [...COLUMNS, run], rows: groups, below: lastOne }, screen);
}

const COLUMNS: readonly Column<FailureGroup>[] = [
  { title: 'count', align: 'right', cell: (group) => ['bold', count(group.count)] },
  { title: 'runs', align: 'right', cell: ({ runs }) => count(runs), dispensable: 2 },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'what', cell: ({ name }) => name ?? '', flexes: true },
  { title: 'why', cell: ({ cause }) => ['bad', cause ?? 'unknown'] },
  { title: 'first seen', cell: ({ firstSeenAt }) => localTime(firstSeenAt), dispensable: 3 },
  { title: 'last seen', cell: ({ lastSeenAt }) => localTime(lastSeenAt), dispensable: 1 },
];

function lastOne({ latest }: FailureGroup): readonly (readonly Segment[])[] {
  const body = latest.span.body();
  const input = inputLine(body) || notCaptured(body.contentBytes.input);
  const message = textLine(body.error?.message ?? '');
  return [
    ...labelled('input', input),
    // Without the words of an error its message is its type, which the line above has.
    ...labelled('error', message === body.error?.type ? '' : message),
  ];
}

function labelled(label: string, text: string): readonly (readonly Segment[])[] {
  return text === ''
    ? []
    : [
        [
          ['dim', `     ${label}  `],
          ['plain', text],
        ],
      ];
}
