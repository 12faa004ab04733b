import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { agent, SAMPLE_TRACES } from '@spanprism/testkit/samples';
import { expect, onTestFinished, test } from 'vitest';
import { inSession, newPath, open, write } from './__fixtures__/store-folder.ts';
import { openForWriting } from './open-database.ts';
import { openStore } from './read/open-store.ts';
import { APPLICATION_ID, MIGRATIONS, VERSION } from './schema.ts';

/** A store as the first version made it. */
function ofVersion(version: number): string {
  const path = newPath();
  mkdirSync(dirname(path));
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  for (const migration of MIGRATIONS.slice(0, version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`INSERT INTO run (run_id, started_at, ended_at, stored_at, failed, outcome_at, turns, spans, llm_calls, unpriced_calls,
    tool_calls, errors, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost, unattributed)
    VALUES ('kept', 1, 2, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0)`);
  database.close();
  return path;
}

const versionOf = (path: string): unknown => new DatabaseSync(path).prepare('PRAGMA user_version').get();

test('an older store is brought up to date by whoever opens it, and keeps what is in it', () => {
  for (let version = 1; version < VERSION; version++) {
    const path = ofVersion(version);
    expect(() => openStore(path, { readOnly: true })).toThrow(expect.objectContaining({ code: 'store_older' }));
    expect(
      open(path)
        .runs()
        .map(({ id, costNanoUsd }) => [id, costNanoUsd]),
    ).toEqual([['kept', 5]]);
    expect(versionOf(path)).toEqual({ user_version: VERSION });
    write(path, [agent({ id: 1, ms: [0, 1] })]);
    expect(open(path).runs().length).toBe(2);
  }
});

test('the names of an older store go with its runs from then on, and those whose runs are gone go at once', () => {
  const path = ofVersion(2);
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec(`INSERT INTO name (id, text) VALUES (1, 'a model'), (2, 'an agent'), (3, 'of a run that is gone'), (4, 'a branch'), (5, 'a tag'), (6, '*');
    INSERT INTO span (key, run, trace_id, span_id, kind, status, started_at, duration, name, agent, is_turn, carries, body, line)
      VALUES (x'01', 1, x'02', x'03', 1, 0, 1, 1, 1, 2, 0, 1, 1, 0);
    UPDATE run SET branch = 4; INSERT INTO run_tag VALUES (1, 5); INSERT INTO run_cost VALUES (1, 6, 6, 1, 0, 0, 0, 0, 0, 5)`);
  const all = (sql: string): readonly unknown[] => database.prepare(sql).all().map(Object.values).flat();
  openForWriting(path, { busyMs: 0 }).close();
  expect(all('SELECT text FROM name ORDER BY id')).toEqual(['a model', 'an agent', 'a branch', 'a tag', '*']);
  expect(all('SELECT name FROM run_name WHERE run = 1 ORDER BY name')).toEqual([1, 2, 4, 5, 6]);
});

test('spans of an older store are known, and stored no second time, once it is brought up to date', () => {
  const path = newPath();
  const spans = inSession('kept', Object.values(SAMPLE_TRACES).flat());
  write(path, spans);
  const [before] = open(path).runs();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  // As the version before had it: the hash alone.
  database.exec('UPDATE span SET key = substr(key, -12); DROP TABLE keyed_before; PRAGMA user_version = 3');
  const fresh = inSession('new', [agent({ id: 1, ms: [0, 1] })]);
  write(path, [...spans, ...fresh], fresh);
  const store = open(path);
  expect(store.runs().map(({ id, spans: count }) => [id, count])).toEqual(
    expect.arrayContaining([
      ['kept', before?.spans],
      ['new', 1],
    ]),
  );
  const keys = [...spans, ...fresh].map(({ key }) => key);
  expect(store.knownKeys([...keys, 'llm:req_of_nobody'])).toEqual(new Set(keys));
});

test('a span of an older store that comes again under another id is the parent of what hangs below that one', () => {
  const path = newPath();
  const turn = agent({ id: 1, ms: [0, 9] });
  write(path, [turn]);
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec('UPDATE span SET key = substr(key, -12); DROP TABLE keyed_before; PRAGMA user_version = 3');
  const again = { ...turn, spanId: 'ffffffffffffffff' as typeof turn.spanId };
  write(path, [again, { ...agent({ id: 2, ms: [1, 2] }), parentSpanId: again.spanId }]);
  expect(
    database.prepare('SELECT DISTINCT lower(hex(parent_id)) AS id FROM span WHERE parent_id IS NOT NULL').all(),
  ).toEqual([{ id: turn.spanId }]);
});

test('a migration that fails leaves the store as it was', () => {
  const path = ofVersion(1);
  // What the next version wants to make is there already.
  new DatabaseSync(path).exec('CREATE TABLE spans (a)');
  expect(() => openForWriting(path, { busyMs: 0 })).toThrow(/already exists/);
  expect(versionOf(path)).toEqual({ user_version: 1 });
});

test('views say in words what the tables keep in numbers', () => {
  const path = newPath();
  write(path, [agent({ id: 1, ms: [0, 1500], attributes: { project: 'shop' }, status: 'error' })]);
  const database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare('SELECT * FROM spans').get()).toMatchObject({
    run_id: '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10',
    kind: 'agent',
    name: 'claude',
    status: 'error',
    started_at: '2026-11-21 09:00:00.000',
    duration_ms: 1500,
    parent_id: null,
  });
  expect(database.prepare('SELECT * FROM runs').get()).toMatchObject({ project: 'shop', failed: 1, cost_usd: 0 });
  expect(database.prepare('SELECT * FROM costs').all()).toEqual([]);
  database.close();
});
