import { cellsOf, cutToCells, formatLine, type Screen, type Segment } from '@spanprism/core/terminal';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  readonly cell: (row: Row) => string | Segment;
  /** Gives way first when the screen is narrow, down to `MIN_FLEX` cells. One column at most. */
  readonly flexes?: true;
  /** Left out when the screen is too narrow still: the highest first, alike ones together, columns without it never. */
  readonly dispensable?: number;
}

export interface TableParts<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Below a rule, such as a total. */
  readonly foot?: readonly Row[];
  /** Lines below a row, indented, in so many cells. */
  readonly below?: (row: Row, cells: number) => readonly (readonly Segment[])[];
}

interface Laid<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly Segment[];
  readonly width: number;
}

const GAP = '  ';
const MIN_FLEX = 16;
/** On a narrow screen no other column is wider: one long name does not push all others out of sight. */
const MAX_FIXED = 32;
const INDENT = '  ';

/** Columns as wide as what they hold; those that hold nothing are left out. */
export function renderTable<Row>({ columns, rows, foot = [], below }: TableParts<Row>, screen: Screen): string {
  const all = [...rows, ...foot];
  const laid = fitted(
    columns.map((column) => lay(column, all)).filter(({ cells }) => cells.some(hasText)),
    screen,
  );
  const width = widthOf(laid);
  const line = (index: number): string => formatLine(rowSegments(laid, index), screen);
  const lines = [formatLine(headSegments(laid), screen)];
  for (const [index, row] of rows.entries()) {
    lines.push(line(index));
    const room = (screen.columns ?? Number.POSITIVE_INFINITY) - INDENT.length;
    for (const extra of below?.(row, room) ?? []) lines.push(formatLine([['plain', INDENT], ...extra], screen));
  }
  if (foot.length > 0) lines.push(formatLine([['dim', '─'.repeat(width)]], screen));
  for (const index of foot.keys()) lines.push(line(rows.length + index));
  return `${lines.join('\n')}\n`;
}

function lay<Row>(column: Column<Row>, rows: readonly Row[]): Laid<Row> {
  const cells = rows.map((row): Segment => {
    const cell = column.cell(row);
    return typeof cell === 'string' ? ['plain', cell] : cell;
  });
  const width = cells.reduce((most, [, text]) => Math.max(most, cellsOf(text)), cellsOf(column.title));
  return { column, cells, width };
}

function hasText([, text]: Segment): boolean {
  return text !== '';
}

function fitted<Row>(natural: readonly Laid<Row>[], screen: Screen): readonly Laid<Row>[] {
  const { columns = Number.POSITIVE_INFINITY } = screen;
  if (widthOf(natural) <= columns) return natural;
  const laid = natural.map((one) => (one.column.flexes ? one : { ...one, width: Math.min(one.width, MAX_FIXED) }));
  const excess = Math.max(0, widthOf(laid) - columns);
  const flexible = laid.find(({ column }) => column.flexes);
  const spare = flexible === undefined ? 0 : Math.max(0, flexible.width - MIN_FLEX);
  const next = Math.max(...laid.map(({ column }) => column.dispensable ?? 0));
  if (spare < excess && next > 0) {
    return fitted(
      natural.filter(({ column }) => column.dispensable !== next),
      screen,
    );
  }
  return laid.map((one) => (one === flexible ? { ...one, width: one.width - Math.min(spare, excess) } : one));
}

function widthOf(laid: readonly { readonly width: number }[]): number {
  return laid.reduce((sum, { width }) => sum + width, GAP.length * Math.max(0, laid.length - 1));
}

function headSegments<Row>(laid: readonly Laid<Row>[]): Segment[] {
  return laid.map((one, at): Segment => ['dim', placed(one.column.title.toUpperCase(), { at, laid })]);
}

function rowSegments<Row>(laid: readonly Laid<Row>[], index: number): Segment[] {
  return laid.map(({ cells }, at): Segment => {
    const [style, text] = cells[index] ?? ['plain', ''];
    return [style, placed(text, { at, laid })];
  });
}

/** A text at its place in the line: a gap before it, and no blanks behind the last. */
function placed<Row>(text: string, { at, laid }: { readonly at: number; readonly laid: readonly Laid<Row>[] }): string {
  const cell = padded(text, laid[at]?.width ?? 0, laid[at]?.column.align);
  return `${at === 0 ? '' : GAP}${at === laid.length - 1 ? cell.trimEnd() : cell}`;
}

function padded(text: string, width: number, align: 'right' | undefined): string {
  const kept = cellsOf(text) > width ? `${cutToCells(text, width - 1)}…` : text;
  const blanks = ' '.repeat(Math.max(0, width - cellsOf(kept)));
  return align === 'right' ? `${blanks}${kept}` : `${kept}${blanks}`;
}
