import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { migrate, versionOf } from './migrate.ts';
import { APPLICATION_ID, VERSION } from './schema.ts';
import { damaged, type Database, isBusy, isCorrupt, isFull, sqlite, StoreProblem } from './sqlite.ts';

export interface OpenOptions {
  /** How long SQLite itself waits for another's lock before it says `busy`. */
  readonly busyMs: number;
}

/**
 * 128 MB before they go from the log to the file: keys come in no order, so that the same pages change in most transactions of a large store,
 * and go over once for all of them.
 */
const WAL_PAGES = 32_000;
/** What the log keeps of its length when it begins anew. It would grow to it again, and to cut it and make it longer takes as long as to write it. */
const WAL_BYTES = 160 * 1024 * 1024;

/** For writing: makes folder and file if they are not there, readable by their owner only, and brings an older store to this version. */
export function openForWriting(path: string, { busyMs }: OpenOptions): Database {
  const file = resolve(path);
  mustBeFile(file);
  makePrivate(file);
  return asking(file, () => {
    const database = new (sqlite().DatabaseSync)(file);
    return closedUnless(database, () => {
      database.exec(`PRAGMA busy_timeout = ${busyMs}`);
      database.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY');
      database.exec('PRAGMA foreign_keys = OFF');
      database.exec(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA journal_size_limit = ${WAL_BYTES}`);
      migrate(database, file);
    });
  });
}

/** For reading alone: nothing in the file changes, so an older store has to be brought to this version by a writer first. */
export function openForReading(path: string): Database {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new StoreProblem(
      'store_missing',
      `there is no store at ${file}: run \`spanprism claude\` or \`spanprism import\` first, or set SPANPRISM_STORE to where it is`,
    );
  }
  mustBeFile(file);
  return asking(file, () => {
    const database = new (sqlite().DatabaseSync)(file, { readOnly: true });
    return closedUnless(database, () => {
      database.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768');
      const version = versionOf(database, file);
      if (version !== VERSION) {
        throw new StoreProblem(
          'store_older',
          `${file} is of version ${version}, this program reads ${VERSION}: open it once for writing, which brings it up to date`,
        );
      }
    });
  });
}

function closedUnless(database: Database, prepare: () => void): Database {
  try {
    prepare();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Says of SQLite's errors what they mean for the user. */
function asking<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof StoreProblem || isBusy(error)) throw error;
    if (isCorrupt(error)) throw damaged(file, error);
    const reason = error instanceof Error ? error.message : String(error);
    const fix = isFull(error) ? 'make room, or set SPANPRISM_STORE to a place that has some' : 'check its permissions';
    throw new StoreProblem('store_unusable', `${file} cannot be opened: ${reason}; ${fix}`, { cause: error });
  }
}

/** Whoever opens a pipe waits for its other end, which may never come. */
function mustBeFile(file: string): void {
  const at = statSync(file, { throwIfNoEntry: false });
  if (at === undefined || at.isFile() || at.isDirectory()) return;
  throw new StoreProblem('store_unusable', `${file} is not a file: set SPANPRISM_STORE to where the store can be one`);
}

/** SQLite gives -wal and -shm the mode of the file itself, so it is closed to others before it is opened. */
function makePrivate(file: string): void {
  try {
    makeFolder(dirname(file));
    closeSync(openSync(file, 'a', 0o600));
    if ((statSync(file).mode & 0o077) !== 0 && isOurs(file)) chmodSync(file, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreProblem(
      'store_not_writable',
      `the store ${file} cannot be written: ${reason}; set SPANPRISM_STORE to a place that can`,
      { cause: error },
    );
  }
}

/** Step by step: below a folder such as /proc, where none can be made, the `recursive` of Node 24 never ends. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(folder)) throw error;
  }
}

/** Where the header of a SQLite file has the id of the program that it belongs to. */
const APPLICATION_ID_AT = 68;

/** Empty, or a store: what is another program's stays as it is. */
function isOurs(path: string): boolean {
  const header = Buffer.alloc(APPLICATION_ID_AT + 4);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, header, 0, header.length, 0);
    return length === 0 || header.readInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
  } finally {
    closeSync(file);
  }
}
