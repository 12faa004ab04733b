import { type Dimension, DIMENSIONS } from '../schema.ts';
import type { Figures } from '../span-row.ts';
import type { Database, Statement } from '../sqlite.ts';

/** What is added to a sum: calls, failed calls, tokens and 1e-9 USD. */
export interface Addition {
  readonly calls?: number;
  readonly errors?: number;
  readonly figures?: Figures;
  readonly cost?: number;
}

interface Sum {
  readonly run: number;
  readonly dimension: number;
  readonly name: number;
  calls: number;
  errors: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  cost: number;
}

const COLUMNS = 'calls, errors, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost';
const ADD = COLUMNS.split(', ')
  .map((column) => `${column} = ${column} + excluded.${column}`)
  .join(', ');

/** Rollups of one transaction: collected in memory, added to those of the runs and of the store at its end. */
export class Sums {
  readonly #addToRun: Statement;
  readonly #addToTotal: Statement;
  readonly #runs: Map<number, Sum> = new Map();

  constructor(database: Database) {
    this.#addToRun = database.prepare(
      `INSERT INTO run_cost (run, dimension, name, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${ADD}`,
    );
    this.#addToTotal = database.prepare(
      `INSERT INTO total_cost (dimension, name, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ${ADD}`,
    );
  }

  add(run: number, dimension: Dimension, entry: Addition & { readonly name: number }): void {
    const sum = this.#sumOf(run, DIMENSIONS[dimension], entry.name);
    sum.calls += entry.calls ?? 0;
    sum.errors += entry.errors ?? 0;
    sum.cost += entry.cost ?? entry.figures?.costNanoUsd ?? 0;
    if (entry.figures === undefined) return;
    sum.input += entry.figures.inputTokens ?? 0;
    sum.output += entry.figures.outputTokens ?? 0;
    sum.cacheRead += entry.figures.cacheReadTokens ?? 0;
    sum.cacheWrite += entry.figures.cacheWriteTokens ?? 0;
  }

  /** Writes what was collected, and begins anew. */
  save(): void {
    const totals = new Map<number, Sum>();
    for (const sum of this.#runs.values()) {
      if (isNothing(sum)) continue;
      this.#addToRun.run(sum.run, sum.dimension, sum.name, ...valuesOf(sum));
      const place = sum.dimension * 0x1000000 + sum.name;
      const total = totals.get(place);
      if (total === undefined) totals.set(place, { ...sum });
      else addTo(total, sum);
    }
    for (const total of totals.values()) this.#addToTotal.run(total.dimension, total.name, ...valuesOf(total));
    this.#runs.clear();
  }

  forget(): void {
    this.#runs.clear();
  }

  #sumOf(run: number, dimension: number, name: number): Sum {
    // A number, as this is asked several times for each span.
    const place = (run * 8 + dimension) * 0x1000000 + name;
    const known = this.#runs.get(place);
    if (known !== undefined) return known;
    const figures = { calls: 0, errors: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: 0 };
    const sum = { run, dimension, name, ...figures };
    this.#runs.set(place, sum);
    return sum;
  }
}

function valuesOf({ calls, errors, input, output, cacheRead, cacheWrite, cost }: Sum): number[] {
  return [calls, errors, input, output, cacheRead, cacheWrite, cost];
}

function isNothing(sum: Sum): boolean {
  return valuesOf(sum).every((value) => value === 0);
}

function addTo(total: Sum, sum: Sum): void {
  total.calls += sum.calls;
  total.errors += sum.errors;
  total.input += sum.input;
  total.output += sum.output;
  total.cacheRead += sum.cacheRead;
  total.cacheWrite += sum.cacheWrite;
  total.cost += sum.cost;
}
