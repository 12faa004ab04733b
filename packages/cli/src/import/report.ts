import type { SkippedLine } from '@spanprism/core/transcript';
import type { Imported } from './destination.ts';
import { sizeText } from './progress.ts';

/** How many lines are named one by one; all are counted. */
const MOST_NAMED = 200;

export interface ImportReport {
  readonly dryRun: boolean;
  readonly sessions: number;
  readonly files: number;
  readonly bytes: number;
  readonly imported: readonly Imported[];
  /** Files of sessions that may still go on, left for the next time. */
  readonly running: readonly string[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  readonly skippedLines: number;
  readonly skippedByReason: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly skipped: readonly SkippedLine[];
}

/** Lines that could not be read, the first of them by name. */
export class SkippedLines {
  readonly named: SkippedLine[] = [];
  readonly byReason: Record<string, number> = {};
  count = 0;

  add(line: SkippedLine): void {
    this.count += 1;
    this.byReason[line.reason] = (this.byReason[line.reason] ?? 0) + 1;
    if (this.named.length < MOST_NAMED) this.named.push(line);
  }
}

export function reportText(report: ImportReport): string {
  const { sessions, files, bytes, imported, running, unreadable, skipped, skippedLines } = report;
  const lines = [`Read ${counted(sessions, 'session')} in ${counted(files, 'file')} (${sizeText(bytes)})`];
  const verb = report.dryRun ? 'Would add' : 'Added';
  for (const { place, runs, turns, spans, knownTurns } of imported) {
    const there =
      knownTurns === 0 ? '' : `; ${counted(knownTurns, 'turn')} ${knownTurns === 1 ? 'was' : 'were'} there already`;
    const what = `${counted(spans, 'span')} of ${counted(turns, 'turn')} in ${counted(runs, 'run')}`;
    lines.push(`${verb} ${what} to ${place}${there}`);
  }
  if (running.length > 0) {
    lines.push(
      `${counted(running.length, 'session')} may still be running and will be read the next time; --running reads their turns that are over`,
    );
  }
  for (const { file, reason } of unreadable) lines.push(`Cannot read ${file}: ${reason}`);
  if (skippedLines > 0) lines.push(`Skipped ${counted(skippedLines, 'line')}:`);
  for (const { file, line, reason } of skipped) lines.push(`  ${file}:${line}: ${reason}`);
  if (skippedLines > skipped.length) lines.push(`  and ${skippedLines - skipped.length} more`);
  return `${lines.join('\n')}\n`;
}

function counted(count: number, noun: string): string {
  return `${String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')} ${noun}${count === 1 ? '' : 's'}`;
}
