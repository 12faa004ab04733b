import { type Database, rollBack, type Statement } from '../sqlite.ts';

/** What a store keeps at most. */
export interface RetentionLimits {
  /** Days since a run was last written to. */
  readonly maxAgeDays: number;
  /** Of the file, without pages that are free. */
  readonly maxBytes: number;
}

const DAY_SECONDS = 86_400;
/** One sweep goes on no longer than this, and pauses: other processes want to write. */
const SWEEP_MS = 100;
/** Pages that are given back to the file system at a time. */
const VACUUM_PAGES = 2_000;

const SUMS = ['calls', 'errors', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost'];

/** Takes the run's sums out of the store's, row by row of the run. */
const SUBTRACT = `UPDATE total_cost SET ${SUMS.map((column) => `${column} = total_cost.${column} - c.${column}`).join(', ')}
  FROM run_cost c WHERE c.run = ? AND c.dimension = total_cost.dimension AND c.name = total_cost.name`;

const FORGET = `DELETE FROM total_cost WHERE ${SUMS.map((column) => `${column} = 0`).join(' AND ')}`;

/** Texts that were in removed runs alone: names of steps, tags and branches can say as much as any content. */
const FORGET_NAMES = 'DELETE FROM name WHERE NOT EXISTS (SELECT 1 FROM run_name WHERE run_name.name = name.id)';

/**
 * Removes whole runs: those that are too old, and the oldest while there is too much. A `Writer` of the same connection has to forget what
 * it knows afterwards; others find out.
 */
export class Retention {
  readonly #database: Database;
  readonly #limits: RetentionLimits;
  readonly #oldest: Statement;
  readonly #longest: Statement;
  readonly #remove: readonly Statement[];
  #hasUnusedNames = false;

  constructor(database: Database, limits: RetentionLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#longest = database.prepare('SELECT id FROM run WHERE stored_at < ? ORDER BY stored_at LIMIT 1');
    // The newest is never removed for its size alone: somebody is at it.
    this.#oldest = database.prepare(
      'SELECT id FROM run WHERE id <> (SELECT id FROM run ORDER BY ended_at DESC LIMIT 1) ORDER BY ended_at LIMIT 1',
    );
    this.#remove = [
      SUBTRACT,
      ...['run_cost', 'run_tag', 'run_name', 'alias', 'body', 'span'].map(
        (table) => `DELETE FROM ${table} WHERE run = ?`,
      ),
      'DELETE FROM run WHERE id = ?',
    ].map((sql) => database.prepare(sql));
  }

  /** One run at a time, each in a transaction of its own, for a bounded time; false when there is more to remove. */
  sweep(now: number = Date.now()): boolean {
    const isDone = this.#removeRuns(now);
    if (this.#hasUnusedNames) this.#database.exec(FORGET_NAMES);
    this.#hasUnusedNames = false;
    return isDone && this.#shrink();
  }

  #removeRuns(now: number): boolean {
    const end = performance.now() + SWEEP_MS;
    for (let run = this.#next(now); run !== undefined; run = this.#next(now)) {
      this.#removeRun(run);
      this.#hasUnusedNames = true;
      if (performance.now() > end) return false;
    }
    return true;
  }

  #next(now: number): number | undefined {
    const { maxAgeDays, maxBytes } = this.#limits;
    const before = Math.floor(now / 1000 - maxAgeDays * DAY_SECONDS);
    const old = this.#longest.get(before) ?? (this.#usedBytes() > maxBytes ? this.#oldest.get() : undefined);
    return (old as { readonly id: number } | undefined)?.id;
  }

  #removeRun(run: number): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const statement of this.#remove) statement.run(run);
      this.#database.exec(FORGET);
      this.#database.exec('COMMIT');
    } catch (error) {
      rollBack(this.#database);
      throw error;
    }
  }

  #usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  #shrink(): boolean {
    if (this.#pragma('freelist_count') < VACUUM_PAGES) return true;
    this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    return this.#pragma('freelist_count') < VACUUM_PAGES;
  }

  #pragma(name: string): number {
    return (this.#database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] ?? 0;
  }
}
