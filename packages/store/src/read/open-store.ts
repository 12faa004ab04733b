import { ConfigurationError } from '@spanprism/core';
import { openForReading, openForWriting } from '../open-database.ts';
import { type Database, isBusy, StoreProblem } from '../sqlite.ts';
import { defaultStorePath } from '../store-path.ts';
import type { Failure, FailureGroup, RunDetail, RunFilter, Store, StoredRun } from '../store.ts';
import { keyHash } from '../key-hash.ts';
import { BodyReader } from './bodies.ts';
import { costReport } from './costs.ts';
import { failureGroups } from './failure-groups.ts';
import { conditionOf, limitOf } from './run-filter.ts';
import { findRuns, runByRowId, runsByPrefix } from './runs.ts';
import { inTreeOrder, selectSpans, withShares } from './spans.ts';

export interface OpenStoreOptions {
  /** Touch nothing: a store of an older version is refused instead of brought up to date. Default false. */
  readonly readOnly?: boolean;
}

/**
 * Opens a store for questions. Throws a `ConfigurationError` when there is none, when it is damaged or of another program, or when a
 * newer version has written it.
 */
export function openStore(path: string = defaultStorePath(), { readOnly = false }: OpenStoreOptions = {}): Store {
  return new SqliteStore(
    path,
    withAdvice(() => open(path, readOnly)),
  );
}

function open(path: string, readOnly: boolean): Database {
  try {
    return openForReading(path);
  } catch (error) {
    if (readOnly || !(error instanceof StoreProblem) || error.code !== 'store_older') throw error;
    openForWriting(path, { busyMs: 5_000 }).close();
    return openForReading(path);
  }
}

function withAdvice<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof StoreProblem) throw new ConfigurationError(error.code, error.message, { cause: error });
    if (isBusy(error)) {
      throw new ConfigurationError('store_busy', 'the store is locked by another program: try again', { cause: error });
    }
    throw error;
  }
}

class SqliteStore implements Store {
  readonly path: string;
  readonly #database: Database;
  readonly #bodies: BodyReader;

  constructor(path: string, database: Database) {
    this.path = path;
    this.#database = database;
    this.#bodies = new BodyReader(database);
  }

  runs(filter: RunFilter = {}): readonly StoredRun[] {
    return findRuns(this.#database, filter);
  }

  run(idPrefix: string): RunDetail | undefined {
    return this.#reading(() => {
      const [found, second] = idPrefix === '' ? [] : runsByPrefix(this.#database, idPrefix);
      if (found === undefined) return undefined;
      if (second !== undefined) {
        throw new ConfigurationError(
          'ambiguous_run',
          `several runs begin with ${idPrefix}, such as ${found.run.id} and ${second.run.id}: give more of the id`,
        );
      }
      const spans = selectSpans(this.#database, this.#bodies, {
        sql: 'WHERE s.run = ? ORDER BY s.started_at, s.id',
        values: [found.rowId],
      });
      return { run: found.run, spans: inTreeOrder(withShares(spans)) };
    });
  }

  failures(filter: RunFilter = {}): readonly Failure[] {
    return this.#reading(() => {
      const condition = conditionOf(filter);
      const found = selectSpans(this.#database, this.#bodies, {
        sql: `WHERE s.status = 1 AND ${condition?.sql ?? 'true'} ORDER BY s.started_at + s.duration DESC, s.id DESC LIMIT ?`,
        values: [...(condition?.values ?? []), limitOf(filter)],
      });
      const runs = new Map<bigint, StoredRun | undefined>();
      return found.flatMap(({ runRowId, span }) => {
        if (!runs.has(runRowId)) runs.set(runRowId, runByRowId(this.#database, runRowId));
        const run = runs.get(runRowId);
        return run === undefined ? [] : [{ run, span }];
      });
    });
  }

  failureGroups(filter: RunFilter = {}): readonly FailureGroup[] {
    return this.#reading(() => failureGroups(this.#database, this.#bodies, filter));
  }

  cost(query: Parameters<Store['cost']>[0]): ReturnType<Store['cost']> {
    return this.#reading(() => costReport(this.#database, query));
  }

  knownKeys(keys: Iterable<string>): ReadonlySet<string> {
    const statement = this.#database.prepare('SELECT 1 FROM span WHERE key = ?');
    return new Set([...keys].filter((key) => statement.get(keyHash(key)) !== undefined));
  }

  close(): void {
    this.#database.close();
  }

  /** All queries of one answer see the same state. */
  #reading<T>(read: () => T): T {
    this.#database.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#database.exec('COMMIT');
    }
  }
}
