import { type Dimension, DIMENSIONS, EVERYTHING } from '../schema.ts';
import type { Figures } from '../span-row.ts';
import type { Database, Statement } from '../sqlite.ts';
import type { Names } from './names.ts';

/** What is added to a sum: calls, failed calls, tokens and 1e-9 USD. */
export interface Addition {
  readonly calls?: number;
  readonly errors?: number;
  readonly figures?: Figures | null;
  readonly cost?: number;
}

/** Which sum. */
export interface SumPlace {
  readonly run: number;
  readonly dimension: Dimension;
  readonly name: number;
}

interface Amounts {
  calls: number;
  errors: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  cost: number;
}

interface Sum extends Amounts {
  readonly run: number;
  readonly dimension: number;
  readonly name: number;
}

const COLUMNS = 'calls, errors, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost';
const ADD = COLUMNS.split(', ')
  .map((column) => `${column} = ${column} + excluded.${column}`)
  .join(', ');

/** Rollups of one transaction: collected in memory, added to those of the runs and of the store at its end. */
export class Sums {
  readonly #addToRun: Statement;
  readonly #addToTotal: Statement;
  readonly #all: Statement;
  readonly #names: Names;
  readonly #runs: Map<number, Sum> = new Map();
  /** Of each dimension the one that was asked for last: mostly it is the next, too. */
  #last: (Sum | undefined)[] = [];

  constructor(database: Database, names: Names) {
    this.#names = names;
    this.#addToRun = database.prepare(
      `INSERT INTO run_cost (run, dimension, name, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${ADD}`,
    );
    this.#addToTotal = database.prepare(
      `INSERT INTO total_cost (dimension, name, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${ADD}`,
    );
    this.#all = database.prepare(
      `SELECT calls, errors, input_tokens AS input, output_tokens AS output, cache_read_tokens AS cacheRead,
         cache_write_tokens AS cacheWrite, cost
       FROM run_cost WHERE run = ? AND dimension = ${DIMENSIONS.all}`,
    );
  }

  add({ run, dimension, name }: SumPlace, { calls = 0, errors = 0, figures = null, cost }: Addition): void {
    const sum = this.#sumOf(run, DIMENSIONS[dimension], name);
    sum.calls += calls;
    sum.errors += errors;
    sum.cost += cost ?? figures?.costNanoUsd ?? 0;
    if (figures === null) return;
    sum.input += figures.inputTokens ?? 0;
    sum.output += figures.outputTokens ?? 0;
    sum.cacheRead += figures.cacheReadTokens ?? 0;
    sum.cacheWrite += figures.cacheWriteTokens ?? 0;
  }

  /** Gives everything of a run to the project it has now, and takes it from the one it had before. */
  assign(run: number, { before, now }: { readonly before: number | null; readonly now: number | null }): void {
    const fresh = this.#runs.get(placeOf(run, DIMENSIONS.all, this.#names.id(EVERYTHING)));
    if (now !== null && fresh !== undefined) addTo(this.#sumOf(run, DIMENSIONS.project, now), fresh, 1);
    if (now === before) return;
    const stored = this.#all.get(run) as Amounts | undefined;
    if (stored === undefined) return;
    if (now !== null) addTo(this.#sumOf(run, DIMENSIONS.project, now), stored, 1);
    if (before !== null) addTo(this.#sumOf(run, DIMENSIONS.project, before), stored, -1);
  }

  /** Writes what was collected, and begins anew. */
  save(): void {
    const totals = new Map<number, Sum>();
    for (const sum of this.#runs.values()) {
      if (isNothing(sum)) continue;
      this.#addToRun.run(sum.run, sum.dimension, sum.name, ...valuesOf(sum));
      this.#names.use(sum.run, sum.name);
      const place = placeOf(0, sum.dimension, sum.name);
      const total = totals.get(place);
      if (total === undefined) totals.set(place, { ...sum });
      else addTo(total, sum, 1);
    }
    for (const total of totals.values()) this.#addToTotal.run(total.dimension, total.name, ...valuesOf(total));
    this.forget();
  }

  forget(): void {
    this.#runs.clear();
    this.#last = [];
  }

  #sumOf(run: number, dimension: number, name: number): Sum {
    const last = this.#last[dimension];
    if (last !== undefined && last.run === run && last.name === name) return last;
    const sum = this.#find(run, dimension, name);
    this.#last[dimension] = sum;
    return sum;
  }

  #find(run: number, dimension: number, name: number): Sum {
    const place = placeOf(run, dimension, name);
    const known = this.#runs.get(place);
    if (known !== undefined) return known;
    const figures = { calls: 0, errors: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: 0 };
    const sum = { run, dimension, name, ...figures };
    this.#runs.set(place, sum);
    return sum;
  }
}

/** A number, as this is asked several times for each span: below 2^53 for 60 million runs with 16 million names. */
function placeOf(run: number, dimension: number, name: number): number {
  return (run * 8 + dimension) * 0x1000000 + name;
}

function valuesOf({ calls, errors, input, output, cacheRead, cacheWrite, cost }: Amounts): number[] {
  return [calls, errors, input, output, cacheRead, cacheWrite, cost];
}

function isNothing(sum: Sum): boolean {
  return valuesOf(sum).every((value) => value === 0);
}

function addTo(total: Amounts, sum: Amounts, sign: 1 | -1): void {
  total.calls += sign * sum.calls;
  total.errors += sign * sum.errors;
  total.input += sign * sum.input;
  total.output += sign * sum.output;
  total.cacheRead += sign * sum.cacheRead;
  total.cacheWrite += sign * sum.cacheWrite;
  total.cost += sign * sum.cost;
}
