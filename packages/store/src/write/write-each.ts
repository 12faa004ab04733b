import type { SpanRow } from '../span-row.ts';
import { StoreProblem } from '../sqlite.ts';
import type { Writer } from './writer.ts';

/** SQLite's result codes for what is wrong with a row, and not with the file or the disk: mismatch, range, constraint, too big, error. */
const OF_THE_ROW: ReadonlySet<number> = new Set([1, 18, 19, 20, 25]);

/**
 * Writes rows, at once if it can be: one that SQLite will never take does not hold up the others. Why one was refused is told; how many
 * were is returned. Throws what may pass.
 */
export function writeEach(writer: Writer, rows: readonly SpanRow[], tell: (message: string) => void): number {
  try {
    writer.write(rows);
    return 0;
  } catch (error) {
    if (isPassing(error)) throw error;
    return rows.reduce((refused, row) => refused + (writeOne(writer, row, tell) ? 0 : 1), 0);
  }
}

function writeOne(writer: Writer, row: SpanRow, tell: (message: string) => void): boolean {
  try {
    writer.write([row]);
    return true;
  } catch (error) {
    if (isPassing(error)) throw error;
    tell(`a span cannot be stored: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** The same may work later, with the same rows. */
function isPassing(error: unknown): boolean {
  if (error instanceof StoreProblem) return true;
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
  return typeof code === 'number' && !OF_THE_ROW.has(code & 0xff);
}
