import type * as sqliteModule from 'node:sqlite';

type Sqlite = typeof sqliteModule;
export type Database = InstanceType<Sqlite['DatabaseSync']>;
export type Statement = ReturnType<Database['prepare']>;

/** Something about the store that the user has to put right. The thread has no ConfigurationError to throw: it resolves no packages. */
export class StoreProblem extends Error {
  override readonly name = 'StoreProblem';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

let loaded: Sqlite | undefined;

/** `node:sqlite`, loaded when it is first needed, without the warning that it is experimental: the user's stderr is not ours. */
export function sqlite(): Sqlite {
  if (loaded !== undefined) return loaded;
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    loaded = process.getBuiltinModule('node:sqlite') as Sqlite | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
  if (loaded === undefined || process.getBuiltinModule('node:zlib').zstdCompressSync === undefined) {
    throw new StoreProblem(
      'node_too_old',
      `the store needs Node 22.15 or newer for node:sqlite and zstd; this is ${process.version}`,
    );
  }
  return loaded;
}

/** SQLite's result codes, without what extends them. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
/** Of what writers share, which is beside the file: there is no room for it. */
const NO_ROOM_TO_SHARE = 10 | (19 << 8);
const NOT_A_DATABASE = 26;

/** The primary result code, if SQLite threw it. */
function resultCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Somebody else holds the lock: the same will work later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** There is no room on the disk. */
export function isFull(error: unknown): boolean {
  return resultCode(error) === FULL || (error instanceof Error && Reflect.get(error, 'errcode') === NO_ROOM_TO_SHARE);
}

/** After an error in a transaction. */
export function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // Where the disk is full, SQLite has done it itself.
  }
}

export function isCorrupt(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE || (error instanceof StoreProblem && error.code === STORE_CORRUPT);
}

const STORE_CORRUPT = 'store_corrupt';

/** What SQLite's word for damage means for the user: some damage is found when the file is opened, some only where it is. */
export function damaged(file: string, cause: unknown): StoreProblem {
  return new StoreProblem(
    STORE_CORRUPT,
    `${file} is no SQLite database, or a damaged one: move it away, and a new one is made`,
    { cause },
  );
}
