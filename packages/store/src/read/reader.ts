import { ConfigurationError } from '@spanprism/core';
import { damaged, type Database, isCorrupt, type Statement } from '../sqlite.ts';

type Value = string | number | bigint | Uint8Array;

/** Prepared statements and names are kept: preparing a query takes longer than most take to answer. */
export class Reader {
  readonly #database: Database;
  readonly #path: string;
  readonly #statements: Map<string, Statement> = new Map();
  readonly #names: Map<number, string> = new Map();
  #dataVersion = -1;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
  }

  /** Rows with numbers as numbers, which hold no nanoseconds of today. */
  all<Row>(sql: string, values: readonly Value[] = []): readonly Row[] {
    try {
      return this.#asking(sql, (statement) => statement.all(...values)) as unknown as Row[];
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      return this.exact<Record<string, unknown>>(sql, values).map(withNumbers) as Row[];
    }
  }

  get<Row>(sql: string, values: readonly Value[] = []): Row | undefined {
    try {
      return this.#asking(sql, (statement) => statement.get(...values)) as Row | undefined;
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      return this.all<Row>(sql, values)[0];
    }
  }

  /** Rows with every whole number as a bigint. */
  exact<Row>(sql: string, values: readonly Value[] = []): readonly Row[] {
    return this.#asking(sql, (statement) => {
      statement.setReadBigInts(true);
      try {
        return statement.all(...values);
      } finally {
        statement.setReadBigInts(false);
      }
    }) as unknown as Row[];
  }

  /** The text of a name, of which a row has only the number. */
  name(id: number): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const row = this.get<{ readonly text: string }>('SELECT text FROM name WHERE id = ?', [id]);
    const text = row?.text ?? '';
    // Names of steps can be anything.
    if (this.#names.size > 10_000) this.#names.clear();
    this.#names.set(id, text);
    return text;
  }

  /** All queries of one answer see the same state. */
  reading<T>(read: () => T): T {
    this.#database.exec('BEGIN');
    try {
      this.#forgetWhatChanged();
      return read();
    } finally {
      this.#endReading();
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Numbers of names that are no longer stored may have been given to others. */
  #forgetWhatChanged(): void {
    const version = this.get<{ readonly data_version: number }>('PRAGMA data_version')?.data_version ?? -1;
    if (version !== this.#dataVersion) this.#names.clear();
    this.#dataVersion = version;
  }

  /** Nothing was written: what is wrong with the file was told by the question itself. */
  #endReading(): void {
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
  }

  /** Opening reads the first page alone; what is damaged further in is found by whoever gets there. */
  #asking<T>(sql: string, ask: (statement: Statement) => T): T {
    try {
      return ask(this.#statement(sql));
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      const { code, message } = damaged(this.#path, error);
      throw new ConfigurationError(code, message, { cause: error });
    }
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (this.#statements.size > 100) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** A sum beyond 2^53, of which a number holds the first sixteen digits. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'ERR_OUT_OF_RANGE';
}

function withNumbers(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  );
}
