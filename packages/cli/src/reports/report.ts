import { once } from 'node:events';
import { defaultStorePath, openStore, type RunFilter, type Store } from '@spanprism/store';
import type { Io } from '../command.ts';

export { screenOf } from './screen.ts';

/** For the help of every report. */
export const STORE_NOTE: string =
  'Reads the store that SPANPRISM_STORE names, else spanprism/spans.db in XDG_DATA_HOME or ~/.local/share. docs/reports.md has the shapes of JSON documents.';

/** Opens the store of this environment, one of an older version included, and closes it when the report is made. */
export async function withStore<T>({ env }: Io, report: (store: Store) => T | Promise<T>): Promise<T> {
  const store = openStore(defaultStorePath(env));
  try {
    return await report(store);
  } finally {
    store.close();
  }
}

/** A report that can be longer than one text, or than whoever reads it is quick. */
export async function writePieces({ stdout }: Pick<Io, 'stdout'>, pieces: Iterable<string>): Promise<void> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < PIECE_CHARACTERS) continue;
    if (!stdout.write(text)) await once(stdout, 'drain');
    text = '';
  }
  stdout.write(text);
}

const PIECE_CHARACTERS = 64 * 1024;

/** Why a report is empty: nothing was ever stored, or nothing matches. */
export function sayNothingFound(store: Store, what: string, io: Io): void {
  const isEmpty = store.runs({ limit: 1 }).length === 0;
  io.stderr.write(
    isEmpty
      ? `spanprism: no runs in ${store.path} yet; trace one with \`spanprism claude\`, or read past ones with \`spanprism import\`\n`
      : `spanprism: ${what} in ${store.path}\n`,
  );
}

/** What a filter leaves in is never all: says so of an empty answer. */
export function matching(filter: RunFilter): string {
  return Object.keys(filter).length === 0 ? '' : ' that match';
}

/** Runs are named by their beginning where that is enough, as `show` takes it. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  for (let length = 8; length < 36; length += 4) {
    const short = new Set(ids.map((id) => id.slice(0, length)));
    if (short.size === new Set(ids).size) return (id) => id.slice(0, length);
  }
  return (id) => id;
}
