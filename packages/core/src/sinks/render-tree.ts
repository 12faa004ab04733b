import { oneLine } from '../model/one-line.ts';
import type { Span } from '../model/span.ts';
import { failureOf, nameOf, preview } from '../model/span-words.ts';
import { msBetween, type UnixNano } from '../model/time.ts';
import { callFigures, joined, markOf, NAME_STYLES } from './describe-span.ts';
import { type Detail, duration, totalsText } from './figures.ts';
import { type SpanBranch, spanTrees } from './span-tree.ts';
import { cellsOf, formatLine, type Screen, type Segment } from './terminal.ts';

export interface RenderTreeOptions {
  readonly color?: boolean;
  /** Show when each span began and how long it took. Default true. */
  readonly times?: boolean;
  /** Width of the terminal; lines are not cut without it. */
  readonly columns?: number;
  /** What the times count from, nanoseconds since 1970. Default: the start of each root. */
  readonly origin?: UnixNano;
  /** What is said of a failure: its type alone, for those who show its words below. Default `words`. */
  readonly failures?: 'words' | 'type';
  /** Lines to show below a span's own, each in so many terminal cells: its content, say. */
  readonly below?: (span: Span, cells: number) => readonly (readonly Segment[])[];
}

interface Row {
  readonly span: Span;
  /** The branches of the tree in front of it, and in front of lines below it. */
  readonly lead: string;
  readonly leadBelow: string;
  /** When it began and how long it took; empty where nobody wants to know. */
  readonly begin: string;
  readonly length: string;
}

/** A finished trace for people: its tree with times, tokens, cost and what went wrong. One block of lines per root. */
export function renderTree(spans: readonly Span[], options: RenderTreeOptions = {}): string {
  return [...treeLines(spans, options)].join('');
}

/** The same line by line: all of what was said in a long run can be more than one text can hold. */
export function* treeLines(spans: readonly Span[], options: RenderTreeOptions = {}): Generator<string> {
  const blocks = spanTrees(spans).map((root) => rowsOf(root, options.origin ?? root.span.startedAt));
  const times = timeColumns(blocks.flat(), options);
  for (const [index, rows] of blocks.entries()) {
    if (index > 0) yield '\n';
    yield* rowLines(rows, times, options);
  }
}

function rowsOf(root: SpanBranch, origin: UnixNano): readonly Row[] {
  const rows: Row[] = [];
  const add = ({ span, children }: SpanBranch, lead: string, below: string): void => {
    const leadBelow = `${below}${children.length === 0 ? '   ' : '│  '}`;
    rows.push({ span, lead, leadBelow, ...timesOf(span, origin) });
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      add(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    }
  };
  add(root, '', '');
  return rows;
}

function timesOf(span: Span, origin: UnixNano): Pick<Row, 'begin' | 'length'> {
  return {
    begin: `+${duration(Math.max(0, msBetween(origin, span.startedAt)))}`,
    length: span.endedAt === undefined ? 'open' : duration(msBetween(span.startedAt, span.endedAt)),
  };
}

/** The same width in all blocks. */
const BEGIN_CELLS = 10;
const LENGTH_CELLS = 9;

function timeColumns(rows: readonly Row[], { times = true }: RenderTreeOptions): (row: Row) => string {
  if (!times) return () => '';
  const most = (cells: number, text: string): number => Math.max(cells, text.length);
  const beginCells = rows.map(({ begin }) => begin).reduce(most, BEGIN_CELLS);
  const lengthCells = rows.map(({ length }) => length).reduce(most, LENGTH_CELLS);
  return ({ begin, length }) => `${begin.padStart(beginCells)} ${length.padStart(lengthCells)}  `;
}

/** A longer name does not push everybody's figures out of sight. */
const MAX_NAME_CELLS = 48;

function* rowLines(rows: readonly Row[], timeOf: (row: Row) => string, options: RenderTreeOptions): Generator<string> {
  const { color = false, columns, below, failures = 'words' } = options;
  const screen: Screen = { hasColor: color, columns };
  const widths = rows.map(({ lead, span }) => cellsOf(lead) + cellsOf(nameOf(span)));
  const nameCells = Math.min(
    MAX_NAME_CELLS,
    widths.reduce((most, width) => Math.max(most, width), 0),
  );
  const detail = detailFor(rows, (columns ?? Number.POSITIVE_INFINITY) - nameCells - MARK_AND_GAP_CELLS, timeOf);
  for (const [index, row] of rows.entries()) {
    const { span, lead, leadBelow } = row;
    const gap = ' '.repeat(Math.max(0, nameCells - (widths[index] ?? 0)) + 2);
    const time = timeOf(row);
    const margin: Segment = ['dim', `${' '.repeat(time.length)}${leadBelow}`];
    const room = (columns ?? Number.POSITIVE_INFINITY) - cellsOf(margin[1]);
    const failure = failures === 'words' ? failureOf(span) : failureTypeOf(span);
    const lines = [
      [
        ['dim', `${time}${lead}`],
        markOf(span),
        [NAME_STYLES[span.kind], nameOf(span)],
        ['plain', `${gap}${factsOf(span, detail)}`],
        ['bad', failure === '' ? '' : `  ${failure}`],
      ] satisfies Segment[],
      ...(below?.(span, room) ?? []).map((segments): Segment[] => [margin, ...segments]),
    ];
    for (const segments of lines) yield `${formatLine(segments, screen)}\n`;
  }
}

const MARK_AND_GAP_CELLS = 4;

/** Figures are told alike in all lines: short where some line has no room for all, so that its cost is not what is cut. */
function detailFor(rows: readonly Row[], cells: number, timeOf: (row: Row) => string): Detail {
  const isTooLong = (row: Row): boolean =>
    (row.span.kind === 'llm' || row.span.kind === 'agent') &&
    cellsOf(factsOf(row.span, 'all')) + timeOf(row).length > cells;
  return cells !== Number.POSITIVE_INFINITY && rows.some(isTooLong) ? 'short' : 'all';
}

/** Not again where the outcome says the same. */
function failureTypeOf(span: Span): string {
  if (span.kind === 'agent' && span.error?.type === span.outcome) return '';
  const isDenied = span.kind === 'tool' && span.denied !== undefined;
  return span.error === undefined || isDenied ? failureOf(span) : oneLine(span.error.type);
}

function factsOf(span: Span, detail: Detail): string {
  switch (span.kind) {
    case 'agent':
      return joined(
        // The mark says so already.
        detail === 'short' && span.outcome === 'completed' ? '' : span.outcome,
        totalsText(span.totals, detail),
        span.unattributed && `unattributed ${totalsText(span.unattributed, detail)}`,
        plural(span.llmCalls, 'call'),
        plural(span.toolCalls, 'tool'),
      );
    case 'llm':
      return callFigures(span, detail);
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
