import { formatLine, type Segment } from '@spanprism/core/terminal';
import type { Row } from './finding.ts';

const MARKS: Readonly<Record<Row['status'], Segment>> = {
  ok: ['good', '✓'],
  problem: ['bad', '✗'],
  skipped: ['dim', '–'],
};

/** One line a check, uncut: its end says what to do. */
export function rowsText(rows: readonly Row[], hasColor: boolean): string {
  const width = Math.max(...rows.map(({ check }) => check.length));
  const lines = rows.map((row) =>
    formatLine([MARKS[row.status], ['plain', ` ${row.check.padEnd(width)}  `], ...wordsOf(row)], { hasColor }),
  );
  return `${lines.join('\n')}\n`;
}

function wordsOf(row: Row): readonly Segment[] {
  if (row.status !== 'problem') return [[row.status === 'skipped' ? 'dim' : 'plain', row.detail]];
  const { code, what, where, fix } = row;
  return [
    ['bad', code],
    ['plain', `: ${what} (${where}). ${fix}`],
  ];
}

/** Every field is always there; what a row has none of is null. `version` grows when a field changes its meaning. */
export function rowsDocument(rows: readonly Row[]): unknown {
  const problems = rows.filter(({ status }) => status === 'problem').length;
  return { version: 1, ok: problems === 0, problems, checks: rows.map(checkOf) };
}

function checkOf(row: Row): unknown {
  const { check, status } = row;
  if (row.status !== 'problem')
    return { check, status, code: null, what: null, where: null, fix: null, detail: row.detail };
  const { code, what, where, fix } = row;
  return { check, status, code, what, where, fix, detail: null };
}
