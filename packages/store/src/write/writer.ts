import { olderKeyHash } from '../key-hash.ts';
import { EVERYTHING } from '../schema.ts';
import { AGENT, ERROR, LLM, type SpanRow, TOOL } from '../span-row.ts';
import { type Database, rollBack, type Statement } from '../sqlite.ts';
import { Attribution } from './attribution.ts';
import { Bodies } from './bodies.ts';
import { Names } from './names.ts';
import { addToRun, Runs } from './runs.ts';
import { Sums } from './sums.ts';

const COLUMNS = [
  'key',
  'run',
  'trace_id',
  'span_id',
  'parent_id',
  'kind',
  'status',
  'started_at',
  'duration',
  'name',
  'agent',
  'error_type',
  'outcome',
  'mcp_server',
  'is_turn',
  'carries',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost',
  'body',
  'line',
] as const;

/** What a span's columns need beyond the row. */
interface KnownOfSpan {
  readonly run: number;
  /** In hex, of the span as it is stored. */
  readonly parentId: string | null;
  readonly names: SpanNames;
}

interface KnownSpan {
  readonly run: number;
  readonly span_id: Uint8Array;
}

/** In the order of `COLUMNS`. */
type SpanNames = readonly [
  name: number,
  agent: number | null,
  errorType: number | null,
  outcome: number | null,
  mcpServer: number | null,
];

/** Writes spans, each batch in one transaction with everything that is added up from it. A span whose key is stored changes nothing. */
export class Writer {
  readonly #database: Database;
  readonly #known: Statement;
  readonly #anyOlderKey: Statement;
  readonly #insert: Statement;
  readonly #alias: Statement;
  readonly #anyAlias: Statement;
  readonly #aliasOf: Statement;
  readonly #adopt: Statement;
  readonly #names: Names;
  readonly #runs: Runs;
  readonly #sums: Sums;
  readonly #bodies: Bodies;
  readonly #attribution: Attribution;
  readonly #traceId: IdBytes = new IdBytes();
  readonly #spanId: IdBytes = new IdBytes();
  readonly #parentId: IdBytes = new IdBytes();
  /** Few stores have any, and then no parent needs to be looked up. */
  #hasAliases = false;
  /** Some spans are known as they were before version 4. */
  #hasOlderKeys = false;
  /** Most spans of a batch end on the same. */
  #lastDay: { readonly day: bigint; readonly text: string } = { day: -1n, text: '' };

  constructor(database: Database) {
    this.#database = database;
    this.#names = new Names(database);
    this.#runs = new Runs(database, this.#names);
    this.#sums = new Sums(database, this.#names);
    this.#bodies = new Bodies(database);
    this.#attribution = new Attribution(database, { names: this.#names, sums: this.#sums });
    this.#known = database.prepare('SELECT run, span_id FROM span WHERE key = ?');
    this.#anyOlderKey = database.prepare('SELECT 1 FROM span WHERE id <= (SELECT last_span FROM keyed_before) LIMIT 1');
    this.#insert = database.prepare(
      `INSERT INTO span (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')}) ON CONFLICT (key) DO NOTHING`,
    );
    this.#alias = database.prepare(
      'INSERT INTO alias (run, span_id, stored_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#anyAlias = database.prepare('SELECT 1 FROM alias LIMIT 1');
    this.#aliasOf = database.prepare('SELECT stored_id FROM alias WHERE run = ? AND span_id = ?');
    this.#adopt = database.prepare('UPDATE span SET parent_id = ? WHERE run = ? AND parent_id = ?');
  }

  /** All or nothing. Throws what SQLite throws; `isBusy` tells when it is worth another try. */
  write(rows: readonly SpanRow[]): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.#names.begin();
      this.#bodies.begin();
      this.#attribution.begin();
      this.#hasAliases = this.#anyAlias.get() !== undefined;
      this.#hasOlderKeys = this.#anyOlderKey.get() !== undefined;
      for (const row of runByRun(rows)) this.#add(row);
      this.#bodies.save();
      this.#attribution.save();
      this.#runs.save(this.#sums);
      this.#sums.save();
      this.#names.save();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.forget();
      rollBack(this.#database);
      throw error;
    }
  }

  /** What it knows of the store is no longer so. */
  forget(): void {
    for (const part of [this.#names, this.#runs, this.#sums, this.#attribution]) part.forget();
  }

  #add(row: SpanRow): void {
    const run = this.#runs.of(row.runId);
    const parentId = this.#parentOf(row, run.id);
    const names = this.#namesOf(row);
    const older = this.#hasOlderKeys ? this.#spanKnownBy(olderKeyHash(row.key)) : undefined;
    if (older !== undefined) return this.#meetAgain(row, older);
    if (!this.#insertSpan(row, { run: run.id, parentId, names })) {
      return this.#meetAgain(row, this.#spanKnownBy(row.key) as KnownSpan);
    }
    this.#bodies.add(row.line);
    for (const name of names) this.#names.use(run.id, name);
    addToRun(run, row);
    if (row.kind === AGENT) this.#attribution.addAgent(row, run.id);
    if (row.kind === LLM || row.kind === TOOL) this.#attribution.add(row, run.id, parentId);
    this.#addUp(run.id, row);
  }

  #namesOf({ name, agent, errorType, outcome, mcpServer }: SpanRow): SpanNames {
    const names = this.#names;
    return [names.id(name), names.id(agent), names.id(errorType), names.id(outcome), names.id(mcpServer)];
  }

  /** False when its key is stored. */
  #insertSpan(row: SpanRow, known: KnownOfSpan): boolean {
    const { body, line } = this.#bodies.placeOf(known.run, row.line);
    const { figures } = row;
    const [name, agent, errorType, outcome, mcpServer] = known.names;
    const { changes } = this.#insert.run(
      row.key,
      known.run,
      this.#traceId.of(row.traceId),
      this.#spanId.of(row.spanId),
      known.parentId === null ? null : this.#parentId.of(known.parentId),
      row.kind,
      row.status,
      row.startedAt,
      row.endedAt - row.startedAt,
      name,
      agent,
      errorType,
      outcome,
      mcpServer,
      row.isTurn ? 1 : 0,
      row.carriesResults ? 1 : 0,
      figures?.inputTokens ?? null,
      figures?.outputTokens ?? null,
      figures?.cacheReadTokens ?? null,
      figures?.cacheWriteTokens ?? null,
      figures?.costNanoUsd ?? null,
      body,
      line,
    );
    return Number(changes) > 0;
  }

  #addUp(run: number, row: SpanRow): void {
    const { figures } = row;
    const errors = row.status === ERROR ? 1 : 0;
    const name = this.#names.id(row.name);
    const all = this.#names.id(EVERYTHING);
    if (row.kind === LLM) {
      const call = { calls: 1, errors, figures };
      this.#sums.add({ run, dimension: 'model', name }, call);
      this.#sums.add({ run, dimension: 'day', name: this.#day(row.endedAt) }, call);
      this.#sums.add({ run, dimension: 'all', name: all }, call);
      if (figures?.costNanoUsd === null) this.#sums.add({ run, dimension: 'unpriced', name: all }, { calls: 1 });
    } else if (row.kind === TOOL) {
      this.#sums.add({ run, dimension: 'tool', name }, { calls: 1, errors });
      if (row.mcpServer !== null) {
        this.#sums.add({ run, dimension: 'mcp-server', name: this.#names.id(row.mcpServer) }, { calls: 1, errors });
      }
    } else if (figures !== null) {
      this.#sums.add({ run, dimension: 'day', name: this.#day(row.endedAt) }, { figures });
      this.#sums.add({ run, dimension: 'all', name: all }, { figures });
    }
  }

  /** The same span under another id, as an import derives them: what hangs below that one hangs below the stored one. */
  #meetAgain({ spanId }: SpanRow, known: KnownSpan): void {
    const storedId = hexOf(known.span_id);
    if (storedId === spanId) return;
    const id = Buffer.from(spanId, 'hex');
    if (this.#alias.run(known.run, id, known.span_id).changes === 0) return;
    this.#hasAliases = true;
    this.#attribution.regroup(known.run, [storedId, spanId], () => this.#adopt.run(known.span_id, known.run, id));
  }

  #spanKnownBy(key: Uint8Array): KnownSpan | undefined {
    return this.#known.get(key) as KnownSpan | undefined;
  }

  /** `2026-11-21`, UTC, as a name. */
  #day(time: bigint): number {
    const day = time / DAY;
    if (day !== this.#lastDay.day) {
      this.#lastDay = { day, text: new Date(Number(day) * 86_400_000).toISOString().slice(0, 10) };
    }
    return this.#names.id(this.#lastDay.text);
  }

  #parentOf({ parentSpanId }: SpanRow, run: number): string | null {
    if (parentSpanId === null || !this.#hasAliases) return parentSpanId;
    const alias = this.#aliasOf.get(run, Buffer.from(parentSpanId, 'hex')) as
      | { readonly stored_id: Uint8Array }
      | undefined;
    return alias === undefined ? parentSpanId : hexOf(alias.stored_id);
  }
}

/** The bytes of one id after the other, in the same memory, which SQLite copies; most are the same as the one before. */
class IdBytes {
  #hex = '';
  #bytes: Buffer = Buffer.of();

  of(hex: string): Uint8Array {
    if (hex === this.#hex) return this.#bytes;
    const isWritten = hex.length === this.#bytes.length * 2 && this.#bytes.write(hex, 'hex') === this.#bytes.length;
    if (!isWritten) this.#bytes = Buffer.from(hex, 'hex');
    this.#hex = hex;
    return this.#bytes;
  }
}

const DAY = 86_400_000_000_000n;

/** Keeps the order within each run, and brings together what is stored together. */
function runByRun(rows: readonly SpanRow[]): readonly SpanRow[] {
  const first = rows[0]?.runId;
  if (rows.every(({ runId }) => runId === first)) return rows;
  const byRun = new Map<string, SpanRow[]>();
  for (const row of rows) {
    const others = byRun.get(row.runId);
    if (others === undefined) byRun.set(row.runId, [row]);
    else others.push(row);
  }
  return [...byRun.values()].flat();
}

function hexOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
}
