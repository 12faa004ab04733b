import type { Span } from '../model/span.ts';
import { failureOf, nameOf, preview } from '../model/span-words.ts';
import { msBetween } from '../model/time.ts';
import { callFigures, joined, markOf, NAME_STYLES } from './describe-span.ts';
import { duration, totalsText } from './figures.ts';
import { type SpanBranch, spanTrees } from './span-tree.ts';
import { cellsOf, formatLine, type Screen, type Segment } from './terminal.ts';

export interface RenderTreeOptions {
  readonly color?: boolean;
  /** Show when each span began and how long it took. Default true. */
  readonly times?: boolean;
  /** Width of the terminal; lines are not cut without it. */
  readonly columns?: number;
}

interface Row {
  readonly span: Span;
  /** The branches of the tree in front of it. */
  readonly lead: string;
  /** Start of the trace. */
  readonly origin: bigint;
}

/** A finished trace for people: its tree with times, tokens, cost and what went wrong. One block of lines per root. */
export function renderTree(spans: readonly Span[], options: RenderTreeOptions = {}): string {
  const { color = false, times = true, columns } = options;
  const screen: Screen = { hasColor: color, columns };
  return spanTrees(spans)
    .map((root) => renderRows(rowsOf(root), times, screen))
    .join('\n');
}

function rowsOf(root: SpanBranch): readonly Row[] {
  const rows: Row[] = [];
  const add = ({ span, children }: SpanBranch, lead: string, below: string): void => {
    rows.push({ span, lead, origin: root.span.startedAt });
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      add(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    }
  };
  add(root, '', '');
  return rows;
}

/** A longer name does not push everybody's figures out of sight. */
const MAX_NAME_CELLS = 48;

function renderRows(rows: readonly Row[], hasTimes: boolean, screen: Screen): string {
  const widths = rows.map(({ lead, span }) => cellsOf(lead) + cellsOf(nameOf(span)));
  const nameCells = Math.min(MAX_NAME_CELLS, Math.max(...widths));
  return rows
    .map(({ span, lead, origin }, index) => {
      const gap = ' '.repeat(Math.max(0, nameCells - (widths[index] ?? 0)) + 2);
      const segments: Segment[] = [
        ...(hasTimes ? [['dim', `${timesOf(span, origin)}  `] as const] : []),
        ['dim', lead],
        markOf(span),
        [NAME_STYLES[span.kind], nameOf(span)],
        ['plain', `${gap}${factsOf(span)}`],
        ['bad', failureOf(span) === '' ? '' : `  ${failureOf(span)}`],
      ];
      return `${formatLine(segments, screen)}\n`;
    })
    .join('');
}

function timesOf(span: Span, origin: bigint): string {
  const offset = `+${duration(Math.max(0, msBetween(origin, span.startedAt)))}`;
  const length = span.endedAt === undefined ? 'open' : duration(msBetween(span.startedAt, span.endedAt));
  return `${offset.padStart(10)} ${length.padStart(9)}`;
}

function factsOf(span: Span): string {
  switch (span.kind) {
    case 'agent':
      return joined(
        span.outcome,
        totalsText(span.totals),
        span.unattributed && `unattributed ${totalsText(span.unattributed)}`,
        plural(span.llmCalls, 'call'),
        plural(span.toolCalls, 'tool'),
      );
    case 'llm':
      return callFigures(span);
    case 'tool':
      return joined(preview(span.input), span.inBackground ? 'in background' : '');
    case 'permission':
      return `${span.decision} by ${span.decidedBy}`;
    case 'hook':
      return span.blocked ? 'blocked' : '';
    case 'custom':
      return '';
  }
}

function plural(value: number, noun: string): string {
  return value === 0 ? '' : `${value} ${noun}${value === 1 ? '' : 's'}`;
}
