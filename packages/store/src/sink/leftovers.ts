import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { decodeSpan } from '../canonical-json.ts';
import { rowOf, type SpanRow } from '../span-row.ts';

// Not by `import`, which reads all that the module exports: 6 ms.
const { randomBytes } = process.getBuiltinModule('node:crypto');

const ROWS_PER_WRITE = 1024;
const NEWLINE = Buffer.from('\n');
/** What is not complete by then never will be. */
const ABANDONED_MS = 86_400_000;

/** Beside the store: spans, a line each, that could not be stored before their process ended. Whoever opens the store next stores them. */
export function writeLeftovers(path: string, rows: readonly SpanRow[]): string {
  const file = `${path}-left-${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  // Under its own name only when it is complete: half a file is one that nobody reads.
  const part = `${file}.part`;
  try {
    writeFileSync(part, Buffer.concat(rows.flatMap(({ line }) => [line, NEWLINE])), { mode: 0o600 });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  return file;
}

/** Stores what others have left over and removes their files. Says what it could not read. */
export function readLeftovers(path: string, write: (rows: readonly SpanRow[]) => void): readonly string[] {
  const files = leftoversOf(path);
  for (const file of files.filter((name) => name.endsWith('.part'))) removeAbandoned(file);
  return files.filter((name) => !name.endsWith('.part')).flatMap((file) => readLeftover(file, write));
}

/** Files that others have left over, or are about to. */
export function leftoversOf(path: string): readonly string[] {
  const folder = dirname(path);
  const prefix = `${basename(path)}-left-`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(folder, name));
}

function removeAbandoned(file: string): void {
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (written !== undefined && written < Date.now() - ABANDONED_MS) rmSync(file, { force: true });
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
