import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { decodeSpan } from '../canonical-json.ts';
import { rowOf, type SpanRow } from '../span-row.ts';

const ROWS_PER_WRITE = 1024;

/** Beside the store: spans, a line each, that could not be stored before their process ended. Whoever opens the store next stores them. */
export function writeLeftovers(path: string, lines: readonly string[]): string {
  const file = `${path}-left-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  // Under its own name only when it is complete: half a file is one that nobody reads.
  writeFileSync(`${file}.part`, `${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return file;
}

/** Stores what others have left over and removes their files. Says what it could not read. */
export function readLeftovers(path: string, write: (rows: readonly SpanRow[]) => void): readonly string[] {
  const folder = dirname(path);
  const prefix = `${basename(path)}-left-`;
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.startsWith(prefix) && !name.endsWith('.part'));
  return files.flatMap((name) => readLeftover(join(folder, name), write));
}

function readLeftover(file: string, write: (rows: readonly SpanRow[]) => void): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Another process was quicker.
    return [];
  }
  const lines = text.split('\n').filter((line) => line !== '');
  const rows = lines.flatMap(parsed);
  for (let start = 0; start < rows.length; start += ROWS_PER_WRITE) write(rows.slice(start, start + ROWS_PER_WRITE));
  rmSync(file, { force: true });
  return rows.length === lines.length ? [] : [`${lines.length - rows.length} lines of ${file} could not be read`];
}

function parsed(line: string): readonly SpanRow[] {
  try {
    return [rowOf(decodeSpan(line))];
  } catch {
    return [];
  }
}
