import zlib from 'node:zlib';
import { keyHash } from './key-hash.ts';
import { APPLICATION_ID, MIGRATIONS, VERSION } from './schema.ts';
import { type Database, rollBack, type Statement, StoreProblem } from './sqlite.ts';

/** Brings the file to this version, all of the way or not at all. */
export function migrate(database: Database, file: string): void {
  if (versionOf(database, file) === VERSION) return;
  offerKeys(database);
  // Before the first table, and outside of a transaction; another process may be at it in the same moment, with the same outcome.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('BEGIN IMMEDIATE');
  try {
    // Whoever held the lock may have done it.
    for (let version = versionOf(database, file); version < VERSION; version++) {
      database.exec(MIGRATIONS[version] ?? '');
      database.exec(`PRAGMA user_version = ${version + 1}`);
    }
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

/** 0 for an empty file. Throws `StoreProblem` for what is no store, or one of a newer version. */
export function versionOf(database: Database, file: string): number {
  const application = pragma(database, 'application_id');
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { readonly count: number };
  if (application !== APPLICATION_ID && tables.count > 0) {
    throw new StoreProblem('store_foreign', `${file} is a database of another program: choose another path`);
  }
  const version = pragma(database, 'user_version');
  if (version > VERSION) {
    throw new StoreProblem(
      'store_newer',
      `${file} was written by a newer spanprism (version ${version}, this one knows ${VERSION}): update spanprism, or choose another path`,
    );
  }
  return version;
}

function pragma(database: Database, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number> | undefined;
  return row?.[name] ?? 0;
}

/** `known_key(body, line)` for a migration: by what the span of that line is known; null when it cannot be read. */
function offerKeys(database: Database): void {
  let find: Statement | undefined;
  let last: { readonly body: unknown; readonly lines: readonly string[] } = { body: null, lines: [] };
  database.function('known_key', (body, line) => {
    find ??= database.prepare('SELECT lines FROM body WHERE id = ?');
    try {
      if (body !== last.body) last = { body, lines: linesOf(find.get(body)) };
      const { key } = JSON.parse(last.lines[Number(line)] ?? '') as { readonly key: string };
      return keyHash(key);
    } catch {
      // It stays known by what it was: one span that may be stored twice, and not a store that nobody can open.
      return null;
    }
  });
}

function linesOf(row: unknown): readonly string[] {
  const { lines } = row as { readonly lines: Uint8Array };
  return zlib.zstdDecompressSync(lines).toString().split('\n');
}
