import { AGENT, CUSTOM, ERROR, LLM, type Place, type SpanRow, TOOL } from '../span-row.ts';
import { SUM_COLUMNS } from '../schema.ts';
import type { Database, Statement } from '../sqlite.ts';
import type { Names } from './names.ts';
import type { Sums } from './sums.ts';

/** What one transaction adds to a run. */
export interface RunChange {
  readonly id: number;
  /** Made by this transaction. */
  readonly isNew: boolean;
  /** The name of the project it had before. */
  readonly projectBefore: number | null;
  startedAt: bigint;
  endedAt: bigint;
  hasFailed: boolean;
  outcome: string | null;
  outcomeAt: bigint;
  agent: string | null;
  project: string | null;
  folder: string | null;
  user: string | null;
  branch: string | null;
  readonly tags: Set<string>;
  turns: number;
  spans: number;
  llmCalls: number;
  unpricedCalls: number;
  toolCalls: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  cost: number;
  unattributed: number;
}

/** Later than any instant of a span. */
const NEVER = 2n ** 63n - 1n;

/** Runs as one transaction changes them. What a run is told first stays: its project, its user, its branch. */
export class Runs {
  readonly #find: Statement;
  readonly #create: Statement;
  readonly #update: Statement;
  readonly #remove: Statement;
  readonly #tag: Statement;
  readonly #names: Names;
  readonly #open: Map<string, RunChange> = new Map();

  constructor(database: Database, names: Names) {
    this.#names = names;
    this.#find = database.prepare('SELECT id, coalesce(project, folder) AS project FROM run WHERE run_id = ?');
    this.#create = database.prepare(CREATE);
    this.#update = database.prepare(UPDATE);
    this.#remove = database.prepare('DELETE FROM run WHERE id = ?');
    this.#tag = database.prepare('INSERT INTO run_tag (run, tag) VALUES (?, ?) ON CONFLICT DO NOTHING');
  }

  /** The run of a span; made if there is none. */
  of(runId: string): RunChange {
    const known = this.#open.get(runId);
    if (known !== undefined) return known;
    const row = this.#find.get(runId) as { readonly id: number; readonly project: number | null } | undefined;
    const id = row?.id ?? Number(this.#create.run(runId).lastInsertRowid);
    const change = emptyChange(id, { isNew: row === undefined, projectBefore: row?.project ?? null });
    this.#open.set(runId, change);
    return change;
  }

  /** Tells `sums` which project each run belongs to. */
  save(sums: Sums): void {
    for (const change of this.#open.values()) {
      if (change.spans > 0) this.#saveOne(change, sums);
      // Each of its spans was stored already, with another run.
      else if (change.isNew) this.#remove.run(change.id);
    }
    this.#open.clear();
  }

  #saveOne(change: RunChange, sums: Sums): void {
    const names = NAMES.map((field) => this.#names.id(change[field]));
    for (const name of names) this.#names.use(change.id, name);
    const row = this.#update.get(...valuesOf(change, names), change.id) as { readonly project: number | null };
    sums.assign(change.id, { before: change.projectBefore, now: row.project });
    for (const tag of change.tags) {
      const name = this.#names.id(tag);
      this.#names.use(change.id, name);
      this.#tag.run(change.id, name);
    }
  }

  forget(): void {
    this.#open.clear();
  }
}

/** In the order of `UPDATE`. */
function valuesOf(
  change: RunChange,
  [outcome = null, ...names]: readonly (number | null)[],
): (number | bigint | null)[] {
  const { startedAt, endedAt, hasFailed, outcomeAt } = change;
  const sums = SUMS.map((field) => change[field]);
  return [startedAt, endedAt, hasFailed ? 1 : 0, outcomeAt, outcome, outcomeAt, ...names, ...sums];
}

/** Fields that are names, in the order of `UPDATE`. */
const NAMES = [
  'outcome',
  'agent',
  'project',
  'folder',
  'user',
  'branch',
] as const satisfies readonly (keyof RunChange)[];

/** Fields that are added up, in the order of the columns in `SUM_COLUMNS`. */
const SUMS = [
  'turns',
  'spans',
  'llmCalls',
  'unpricedCalls',
  'toolCalls',
  'errors',
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cost',
  'unattributed',
] as const satisfies readonly (keyof RunChange)[];

const CREATE = `INSERT INTO run (run_id, started_at, ended_at, stored_at, failed, outcome_at, ${SUM_COLUMNS.join(', ')})
  VALUES (?, ${NEVER}, 0, 0, 0, 0, ${SUM_COLUMNS.map(() => '0').join(', ')})`;

const UPDATE = `UPDATE run SET
  started_at = min(started_at, ?),
  ended_at = max(ended_at, ?),
  stored_at = unixepoch(),
  failed = max(failed, ?),
  outcome = CASE WHEN ? >= outcome_at THEN coalesce(?, outcome) ELSE outcome END,
  outcome_at = max(outcome_at, ?),
  agent = coalesce(agent, ?),
  project = coalesce(project, ?),
  folder = coalesce(folder, ?),
  user = coalesce(user, ?),
  branch = coalesce(branch, ?),
  ${SUM_COLUMNS.map((column) => `${column} = ${column} + ?`).join(', ')}
  WHERE id = ? RETURNING coalesce(project, folder) AS project`;

function emptyChange(id: number, known: Pick<RunChange, 'isNew' | 'projectBefore'>): RunChange {
  const sums = Object.fromEntries(SUMS.map((field) => [field, 0])) as Record<(typeof SUMS)[number], number>;
  const names = { outcome: null, agent: null, project: null, folder: null, user: null, branch: null };
  const times = { startedAt: NEVER, endedAt: 0n, outcomeAt: 0n };
  return { id, ...known, ...times, hasFailed: false, tags: new Set(), ...names, ...sums };
}

/** Adds a span that is new to its run. */
export function addToRun(run: RunChange, row: SpanRow): void {
  if (row.startedAt < run.startedAt) run.startedAt = row.startedAt;
  if (row.endedAt > run.endedAt) run.endedAt = row.endedAt;
  run.spans += 1;
  if (row.status === ERROR) run.errors += 1;
  if ((row.isTurn || row.kind === CUSTOM) && row.status === ERROR) run.hasFailed = true;
  if (row.isTurn) addTurn(run, row);
  if (row.kind === LLM) addCall(run, row);
  if (row.kind === TOOL) run.toolCalls += 1;
  if (row.figures !== null) addFigures(run, row);
  if (row.place !== null) addPlace(run, row.place);
}

function addTurn(run: RunChange, row: SpanRow): void {
  run.turns += 1;
  run.agent ??= row.agent;
  if (row.endedAt < run.outcomeAt) return;
  run.outcome = row.outcome;
  run.outcomeAt = row.endedAt;
}

function addCall(run: RunChange, row: SpanRow): void {
  run.llmCalls += 1;
  if (row.figures?.costNanoUsd === null) run.unpricedCalls += 1;
}

function addFigures(run: RunChange, { kind, figures }: SpanRow): void {
  run.inputTokens += figures?.inputTokens ?? 0;
  run.outputTokens += figures?.outputTokens ?? 0;
  run.cacheReadTokens += figures?.cacheReadTokens ?? 0;
  run.cacheWriteTokens += figures?.cacheWriteTokens ?? 0;
  run.cost += figures?.costNanoUsd ?? 0;
  if (kind === AGENT) run.unattributed += figures?.costNanoUsd ?? 0;
}

function addPlace(run: RunChange, place: Place): void {
  run.project ??= place.project;
  run.folder ??= place.folder;
  run.user ??= place.user;
  run.branch ??= place.branch;
  for (const tag of place.tags) run.tags.add(tag);
}
