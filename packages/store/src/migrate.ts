import { APPLICATION_ID, MIGRATIONS, VERSION } from './schema.ts';
import { type Database, rollBack, StoreProblem } from './sqlite.ts';

/** Brings the file to this version, all of the way or not at all. */
export function migrate(database: Database, file: string): void {
  if (versionOf(database, file) === VERSION) return;
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
