import type { Totals } from '../../model/usage.ts';
import { totalsIn } from './cost-states.ts';
import { linesOf } from './lines.ts';
import { readRow } from './row.ts';

/** The sums that a session's file tells of when a process exits, by the last answer before it. Throws what the system throws when the file cannot be read. */
export function lastWords(path: string): ReadonlyMap<string, Totals> {
  const words = new Map<string, Totals>();
  let answer: string | undefined;
  for (const line of linesOf(path)) {
    const row = readRow(line);
    if (row === 'silent' || 'skipped' in row) continue;
    if (row.type === 'assistant') answer = row.uuid;
    if (row.type !== 'cost-state' || answer === undefined) continue;
    const totals = totalsIn(row.fields);
    // A later process that asked for nothing adds nothing.
    if (totals !== undefined && !words.has(answer)) words.set(answer, totals);
  }
  return words;
}
