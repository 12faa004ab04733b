import type { Totals } from '../../model/usage.ts';
import { totalsIn } from './cost-states.ts';
import { linesOf } from './lines.ts';
import { readRow } from './row.ts';

/**
 * The sums that a session's file tells of first after that row; undefined where it told of none before it went on, so that nobody knows
 * what they were. Throws what the system throws when the file cannot be read.
 */
export function totalsAfter(path: string, rowId: string): Totals | undefined {
  let isAfter = false;
  for (const line of linesOf(path)) {
    const row = readRow(line);
    if (row === 'silent' || 'skipped' in row) continue;
    if (isAfter && row.type === 'cost-state') return totalsIn(row.fields);
    if (isAfter && row.type === 'assistant') return undefined;
    if (row.uuid === rowId) isAfter = true;
  }
  return undefined;
}
