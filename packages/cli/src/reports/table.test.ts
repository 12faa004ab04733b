import { stripVTControlCharacters } from 'node:util';
import { cellsOf } from '@spanprism/core/terminal';
import { expect, test } from 'vitest';
import { type Column, renderTable } from './table.ts';

interface Row {
  readonly name: string;
  readonly count: number;
  readonly user?: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name, flexes: true },
  { title: 'user', cell: ({ user }) => user ?? '', dispensable: 1 },
  { title: 'count', align: 'right', cell: ({ count }) => String(count) },
];
const rows: readonly Row[] = [
  { name: '日本語', count: 12, user: 'ada' },
  { name: 'plain', count: 3 },
];
const plain = { hasColor: false };

test('columns align by what a terminal shows, numbers to the right, without blanks at the end', () => {
  expect(renderTable({ columns, rows, foot: [{ name: 'total', count: 15 }] }, plain)).toBe(
    [
      'NAME    USER  COUNT',
      '日本語  ada      12',
      'plain             3',
      '───────────────────',
      'total            15',
      '',
    ].join('\n'),
  );
});

test('a column without content is left out', () => {
  expect(renderTable({ columns, rows: rows.slice(1) }, plain)).toBe('NAME   COUNT\nplain      3\n');
});

test('on a narrow screen the long column gives way first, then columns that one can do without', () => {
  const long = [{ name: 'a very long name of something', count: 1, user: 'ada' }];
  const width = (columnCount: number): string[] =>
    renderTable({ columns, rows: long }, { hasColor: false, columns: columnCount }).trimEnd().split('\n');
  expect(width(40)[1]).toBe('a very long name of someth…  ada       1');
  expect(width(25)).toEqual(['NAME                COUNT', 'a very long name …      1']);
  for (const columnCount of [80, 40, 30, 20, 10]) {
    for (const line of width(columnCount)) expect(cellsOf(line)).toBeLessThanOrEqual(columnCount);
  }
});

test('one long name leaves the other columns where they can be seen', () => {
  const long = [{ name: 'n', count: 1, user: 'u'.repeat(200) }];
  const [, line = ''] = renderTable({ columns, rows: long }, { hasColor: false, columns: 60 }).split('\n');
  expect(line).toBe(`n     ${'u'.repeat(31)}…      1`);
});

test('a table may be as long as it likes', () => {
  const many = Array.from({ length: 300_000 }, (_, count) => ({ name: 'n', count }));
  expect(renderTable({ columns, rows: many }, plain).split('\n')).toHaveLength(300_002);
});

test('names cannot drive the terminal', () => {
  const hostile = renderTable({ columns, rows: [{ name: 'a\u001b[2Jb\nc\u009b31m\u202e', count: 1 }] }, plain);
  expect(hostile.split('\n')).toHaveLength(3);
  expect(hostile).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
});

test('paints headings only where there is a terminal for it', () => {
  const painted = renderTable({ columns, rows }, { hasColor: true });
  expect(painted).toContain('\u001b[2mNAME');
  expect(stripVTControlCharacters(painted)).toBe(renderTable({ columns, rows }, plain));
});

test('there are no blanks behind the last column, painted or not', () => {
  const turned = columns.toReversed();
  const painted = stripVTControlCharacters(renderTable({ columns: turned, rows }, { hasColor: true }));
  expect(painted).toBe('COUNT  USER  NAME\n   12  ada   日本語\n    3        plain\n');
});
