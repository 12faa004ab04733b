import { ConfigurationError } from '@spanprism/core';
import { openForReading, openForWriting } from '../open-database.ts';
import { type Database, isBusy, StoreProblem } from '../sqlite.ts';
import { leftoversOf, readLeftovers } from '../sink/leftovers.ts';
import { defaultStorePath } from '../store-path.ts';
import { writeEach } from '../write/write-each.ts';
import { Writer } from '../write/writer.ts';
import type { Failure, FailureGroup, RunDetail, RunFilter, Store, StoredRun, StoredSpan } from '../store.ts';
import { keyHash, olderKeyHash } from '../key-hash.ts';
import { BodyReader } from './bodies.ts';
import { costReport } from './costs.ts';
import { failureGroups } from './failure-groups.ts';
import { Reader } from './reader.ts';
import { conditionOf, limitOf } from './run-filter.ts';
import { findRuns, runByRowId, runsByPrefix } from './runs.ts';
import { inTreeOrder, selectSpans, type SpanReader, spansOfRun, withShares } from './spans.ts';

/** How long a question waits for another's lock. */
const BUSY_MS = 1_000;

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
  if (!readOnly && leftoversOf(path).length > 0) storeLeftovers(path);
  try {
    return openForReading(path);
  } catch (error) {
    if (readOnly || !(error instanceof StoreProblem) || error.code !== 'store_older') throw error;
    openForWriting(path, { busyMs: BUSY_MS }).close();
    return openForReading(path);
  }
}

/** What a program could not store before it ended is part of the answer. Where it cannot be stored now, the next writer will, and tell why. */
function storeLeftovers(path: string): void {
  try {
    const database = openForWriting(path, { busyMs: BUSY_MS });
    try {
      const writer = new Writer(database);
      readLeftovers(path, (rows) => void writeEach(writer, rows, () => undefined));
    } finally {
      database.close();
    }
  } catch {
    // What is wrong with the store itself, the questions tell.
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
  readonly #reader: Reader;
  readonly #from: SpanReader;

  constructor(path: string, database: Database) {
    this.path = path;
    this.#reader = new Reader(database, path);
    this.#from = { reader: this.#reader, bodies: new BodyReader(this.#reader) };
  }

  runs(filter: RunFilter = {}): readonly StoredRun[] {
    return this.#reader.reading(() => findRuns(this.#reader, filter));
  }

  run(idPrefix: string): RunDetail | undefined {
    return this.#reader.reading(() => {
      const [found, second] = idPrefix === '' ? [] : runsByPrefix(this.#reader, idPrefix);
      if (found === undefined) return undefined;
      if (second !== undefined) {
        throw new ConfigurationError(
          'ambiguous_run',
          `several runs begin with ${idPrefix}, such as ${found.run.id} and ${second.run.id}: give more of the id`,
        );
      }
      return { run: found.run, spans: inTreeOrder(withShares(spansOfRun(this.#from, found.rowId))) };
    });
  }

  firstTurn(runId: string): StoredSpan | undefined {
    const sql = 'WHERE r.run_id = ? AND s.is_turn = 1 ORDER BY s.started_at, s.id LIMIT 1';
    return this.#reader.reading(() => selectSpans(this.#from, { sql, values: [runId] })[0]?.span);
  }

  failures(filter: RunFilter = {}): readonly Failure[] {
    return this.#reader.reading(() => {
      const condition = conditionOf(filter);
      const found = selectSpans(this.#from, {
        sql: `WHERE s.status = 1 AND ${condition?.sql ?? 'true'} ORDER BY s.started_at + s.duration DESC, s.id DESC LIMIT ?`,
        values: [...(condition?.values ?? []), limitOf(filter)],
      });
      const runs = new Map<number, StoredRun | undefined>();
      return found.flatMap(({ runRowId, span }) => {
        if (!runs.has(runRowId)) runs.set(runRowId, runByRowId(this.#reader, runRowId));
        const run = runs.get(runRowId);
        return run === undefined ? [] : [{ run, span }];
      });
    });
  }

  failureGroups(filter: RunFilter = {}): readonly FailureGroup[] {
    return this.#reader.reading(() => failureGroups(this.#from, filter));
  }

  cost(query: Parameters<Store['cost']>[0]): ReturnType<Store['cost']> {
    return this.#reader.reading(() => costReport(this.#reader, query));
  }

  knownKeys(keys: Iterable<string>): ReadonlySet<string> {
    const isKnown = (key: string): boolean => {
      const hashed = keyHash(key);
      return this.#reader.get('SELECT 1 FROM span WHERE key IN (?, ?)', [hashed, olderKeyHash(hashed)]) !== undefined;
    };
    return new Set([...keys].filter(isKnown));
  }

  close(): void {
    this.#reader.close();
  }
}
