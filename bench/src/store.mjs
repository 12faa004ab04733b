import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openForWriting } from '../../packages/store/src/open-database.ts';
import { sharesOf } from '../../packages/store/src/shares.ts';
import { Writer } from '../../packages/store/src/write/writer.ts';
import { runRows, SPANS_PER_RUN } from './store-rows.mjs';

const RUNS = 10_000;
const RUNS_PER_WRITE = 40;
const ROUNDS = 15;
/** Questions before the first that counts: the compiler and the caches of both. */
const WARM_UP = 30;
const OURS = 'spanprism store';
const THEIRS = 'DuckDB';
const BUDGET = 1 / 5;

/** The questions of the reports, asked of a million spans: through our API, and of DuckDB over one table of the same spans. */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-bench-'));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder) {
  const path = join(folder, 'spans.db');
  const duckdb = await (await DuckDBInstance.create(join(folder, 'spans.duckdb'))).connect();
  const { writeMs, runIds } = await fill(path, duckdb);
  // As a program would find it: another process has written it.
  const { openStore } = await import('../../packages/store/dist/index.js');
  const store = openStore(path);
  const rows = [
    { name: OURS, metric: 'written', value: (RUNS * SPANS_PER_RUN) / writeMs, unit: 'k spans/s' },
    { name: OURS, metric: 'on disk', value: statSync(path).size / (RUNS * SPANS_PER_RUN), unit: 'B/span' },
  ];
  const ratios = [];
  for (const question of questions(store, duckdb, runIds)) {
    const [ours, theirs] = await askBoth(question);
    rows.push({ name: OURS, metric: question.name, value: ours, unit: 'ms' });
    rows.push({ name: THEIRS, metric: question.name, value: theirs, unit: 'ms' });
    const value = ours / theirs;
    ratios.push({ name: `${OURS} / ${THEIRS}, ${question.name}`, value, budget: BUDGET, holds: value <= BUDGET });
  }
  store.close();
  duckdb.closeSync();
  return { title: 'Store: questions at 1,000,000 spans', rows, ratios };
}

async function fill(path, duckdb) {
  await duckdb.run(`CREATE TABLE spans (run VARCHAR, span_id VARCHAR, parent_id VARCHAR, kind TINYINT, status TINYINT, name VARCHAR,
    started_at BIGINT, ended_at BIGINT, input_tokens INTEGER, output_tokens INTEGER, cost BIGINT, carried BIGINT, project VARCHAR)`);
  const appender = await duckdb.createAppender('spans');
  const database = openForWriting(path, { busyMs: 1_000 });
  const writer = new Writer(database);
  const runIds = [];
  let writeMs = 0;
  for (let first = 0; first < RUNS; first += RUNS_PER_WRITE) {
    const runs = Array.from({ length: RUNS_PER_WRITE }, (_, index) => runRows(first + index));
    const before = performance.now();
    writer.write(runs.flat());
    writeMs += performance.now() - before;
    for (const rows of runs) append(appender, rows);
    runIds.push(...runs.map(([row]) => row.runId));
  }
  appender.closeSync();
  await duckdb.run('CHECKPOINT');
  database.close();
  return { writeMs, runIds };
}

/** With what each tool call is given of the calls' cost, so that DuckDB need not find that out. */
function append(appender, rows) {
  const members = rows.slice(0, -1).map((row) => ({
    ...row,
    isCall: row.kind === 1,
    costNanoUsd: row.figures?.costNanoUsd ?? null,
  }));
  const shares = new Map([...sharesOf(members)].map(([{ spanId }, share]) => [spanId, share]));
  const { project } = rows.at(-1).place;
  for (const row of rows) {
    for (const text of [row.runId, row.spanId]) appender.appendVarchar(text);
    if (row.parentSpanId === null) appender.appendNull();
    else appender.appendVarchar(row.parentSpanId);
    appender.appendTinyInt(row.kind);
    appender.appendTinyInt(row.status);
    appender.appendVarchar(row.name);
    appender.appendBigInt(row.startedAt);
    appender.appendBigInt(row.endedAt);
    appender.appendInteger(row.figures?.inputTokens ?? 0);
    appender.appendInteger(row.figures?.outputTokens ?? 0);
    appender.appendBigInt(BigInt(row.figures?.costNanoUsd ?? 0));
    appender.appendBigInt(BigInt(shares.get(row.spanId) ?? 0));
    appender.appendVarchar(project);
    appender.endRow();
  }
}

function questions(store, duckdb, runIds) {
  const ask = async (sql) => (await duckdb.runAndReadAll(sql)).getRowObjects();
  let turn = 0;
  const nextRun = () => runIds[(turn++ * 7919) % runIds.length];
  const by = (dimension, sql) => ({
    name: `cost by ${dimension}`,
    ours: () => store.cost({ by: dimension }).rows,
    theirs: () => ask(`SELECT ${sql} GROUP BY 1 ORDER BY 3 DESC`),
    // The row of what no name accounts for is ours alone.
    extra: 1,
  });
  return [
    {
      name: 'failed runs',
      ours: () => store.runs({ failed: true, limit: 50 }),
      theirs: () =>
        ask(
          `SELECT run, min(started_at), max(ended_at) FROM spans WHERE kind = 0 AND status = 1 GROUP BY run ORDER BY 3 DESC LIMIT 50`,
        ),
      extra: 0,
    },
    {
      name: 'tree of a run',
      ours: () => store.run(nextRun()).spans,
      theirs: () => ask(`SELECT * FROM spans WHERE run = '${nextRun()}' ORDER BY started_at`),
      extra: 0,
    },
    by('tool', `name, count(*), sum(carried) FROM spans WHERE kind = 2`),
    by('model', `name, count(*), sum(cost), sum(input_tokens), sum(output_tokens) FROM spans WHERE kind = 1`),
    by('project', `project, count(*), sum(cost), sum(input_tokens), sum(output_tokens) FROM spans WHERE kind = 1`),
    by(
      'day',
      `ended_at // 86400000000000, count(*), sum(cost), sum(input_tokens), sum(output_tokens) FROM spans WHERE kind = 1`,
    ),
  ];
}

/** Medians, in milliseconds; one after the other in turns, so that a noisy moment is both's. */
async function askBoth({ name, ours, theirs, extra }) {
  const counts = [(await ours()).length - extra, (await theirs()).length];
  if (counts[0] !== counts[1]) throw new Error(`${name}: ${counts.join(' and ')} rows`);
  for (let ask = 0; ask < WARM_UP; ask++) for (const side of [ours, theirs]) await side();
  const samples = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) samples[side].push(await timeOf([ours, theirs][side]));
  }
  return samples.map((all) => all.toSorted((a, b) => a - b)[ROUNDS >> 1]);
}

async function timeOf(ask) {
  const before = performance.now();
  await ask();
  return performance.now() - before;
}
