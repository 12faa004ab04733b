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
  /** Lines to show below a span's own, each in so many terminal cells: its content, say. */
  readonly below?: (span: Span, cells: number) => readonly (readonly Segment[])[];
}

interface Row {
  readonly span: Span;
  /** The branches of the tree in front of it, and in front of lines below it. */
  readonly lead: string;
  readonly leadBelow: string;
  /** Start of the trace. */
  readonly origin: bigint;
}

/** A finished trace for people: its tree with times, tokens, cost and what went wrong. One block of lines per root. */
export function renderTree(spans: readonly Span[], options: RenderTreeOptions = {}): string {
  return spanTrees(spans)
    .map((root) => renderRows(rowsOf(root), options))
    .join('\n');
}

function rowsOf(root: SpanBranch): readonly Row[] {
  const rows: Row[] = [];
  const add = ({ span, children }: SpanBranch, lead: string, below: string): void => {
    const leadBelow = `${below}${children.length === 0 ? '   ' : '│  '}`;
    rows.push({ span, lead, leadBelow, origin: root.span.startedAt });
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

function renderRows(rows: readonly Row[], options: RenderTreeOptions): string {
  const { color = false, times = true, columns, below } = options;
  const screen: Screen = { hasColor: color, columns };
  const widths = rows.map(({ lead, span }) => cellsOf(lead) + cellsOf(nameOf(span)));
  const nameCells = Math.min(MAX_NAME_CELLS, Math.max(...widths));
  const lines = rows.flatMap(({ span, lead, leadBelow, origin }, index) => {
    const gap = ' '.repeat(Math.max(0, nameCells - (widths[index] ?? 0)) + 2);
    const time = times ? `${timesOf(span, origin)}  ` : '';
    const margin: Segment = ['dim', `${' '.repeat(time.length)}${leadBelow}`];
    const room = (columns ?? Number.POSITIVE_INFINITY) - cellsOf(margin[1]);
    return [
      [
        ['dim', `${time}${lead}`],
        markOf(span),
        [NAME_STYLES[span.kind], nameOf(span)],
        ['plain', `${gap}${factsOf(span)}`],
        ['bad', failureOf(span) === '' ? '' : `  ${failureOf(span)}`],
      ] satisfies Segment[],
      ...(below?.(span, room) ?? []).map((segments): Segment[] => [margin, ...segments]),
    ];
  });
  return lines.map((segments) => `${formatLine(segments, screen)}\n`).join('');
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
