import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { CapturedSpan, SpanKey } from '@spanprism/core';
import { agent, custom, llm, tool } from '@spanprism/testkit/samples';
import { expect, onTestFinished, test } from 'vitest';
import { inSession, newPath, open, write } from '../__fixtures__/store-folder.ts';
import { openForWriting } from '../open-database.ts';
import { rowOf } from '../span-row.ts';
import type { CostDimension } from '../store.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { Writer } from './writer.ts';

const DAY_MS = 86_400_000;
const FOREVER: RetentionLimits = { maxAgeDays: 1e6, maxBytes: 1e12 };
const DIMENSIONS: readonly CostDimension[] = ['tool', 'model', 'day', 'subagent', 'mcp-server', 'project', 'session'];

const run: readonly CapturedSpan[] = [
  tool({ id: 3, parent: 1, ms: [0, 10], toolName: 'mcp__db__query', mcpServer: 'db' }),
  llm({ id: 2, parent: 1, ms: [20, 30], costUsd: 0.25, usage: { inputTokens: 7 } }),
  agent({ id: 1, ms: [0, 40], attributes: { project: 'shop', tags: '["nightly"]' } }),
];
const later = (spans: readonly CapturedSpan[], ms: number): readonly CapturedSpan[] =>
  spans.map((span) => ({
    ...span,
    startedAt: span.startedAt + BigInt(ms) * 1_000_000n,
    endedAt: (span.endedAt ?? 0n) + BigInt(ms) * 1_000_000n,
  }));

function sweeper(path: string, limits: Partial<RetentionLimits>): Retention {
  const database = openForWriting(path, { busyMs: 1_000 });
  onTestFinished(() => database.close());
  return new Retention(database, { ...FOREVER, ...limits });
}

/** How many rows there are in each table. */
function contents(path: string): Record<string, number> {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = ['name', 'run', 'run_tag', 'run_name', 'run_cost', 'total_cost', 'span', 'body', 'alias'];
  const count = (table: string) =>
    (database.prepare(`SELECT count(*) AS c FROM ${table}`).get() as { readonly c: number }).c;
  const counts = Object.fromEntries(tables.map((table) => [table, count(table)]));
  database.close();
  return counts;
}

test('a run goes when it was last written to too long ago, with all that was added up from it', () => {
  const path = newPath();
  write(path, inSession('old', run), inSession('new', run));
  const database = new DatabaseSync(path);
  database.exec("UPDATE run SET stored_at = stored_at - 10 * 86400 WHERE run_id = 'old'");
  database.close();
  expect(sweeper(path, { maxAgeDays: 11 }).sweep()).toBe(true);
  expect(open(path).runs().length).toBe(2);
  sweeper(path, { maxAgeDays: 9 }).sweep();
  const alone = newPath();
  write(alone, inSession('new', run));
  for (const by of DIMENSIONS) expect(open(path).cost({ by })).toEqual(open(alone).cost({ by }));
  expect(contents(path)).toEqual(contents(alone));
});

test('when the last run goes nothing is left', () => {
  const path = newPath();
  write(path, inSession('old', run));
  sweeper(path, { maxAgeDays: 9 }).sweep(Date.now() + 10 * DAY_MS);
  expect(new Set(Object.values(contents(path)))).toEqual(new Set([0]));
});

test('texts go with the last run that has them', () => {
  const path = newPath();
  const said = (words: string): readonly CapturedSpan[] => [
    custom({ id: 6, parent: 5, ms: [0, 1], name: `ask ${words}` }),
    agent({ id: 5, ms: [0, 2], agentName: `agent ${words}`, attributes: { 'user.id': words, tags: `["${words}"]` } }),
  ];
  write(path, inSession('old', [...run, ...said('the secret')]), inSession('new', [...run, ...said('anything')]));
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  const texts = (): readonly unknown[] =>
    database
      .prepare('SELECT text FROM name')
      .all()
      .map(({ text }) => text);
  const before = texts();
  expect(before).toEqual(expect.arrayContaining(['ask the secret', 'agent the secret', 'the secret', 'shop']));
  database.exec("UPDATE run SET stored_at = 0 WHERE run_id = 'old'");
  sweeper(path, { maxAgeDays: 9 }).sweep();
  expect(texts()).toEqual(before.filter((text) => !String(text).includes('the secret')));
});

test('who knew a text, or its number, before it was removed finds out', () => {
  const path = newPath();
  const named = (session: string, name: string): readonly CapturedSpan[] =>
    inSession(session, [custom({ id: 1, ms: [0, 1], name })]);
  const database = openForWriting(path, { busyMs: 1_000 });
  onTestFinished(() => database.close());
  const writer = new Writer(database);
  writer.write([...named('kept', 'kept'), ...named('gone', 'gone')].map(rowOf));
  const store = open(path);
  const nameIn = (id: string): unknown => store.run(id)?.spans[0]?.name;
  expect(['kept', 'gone'].map(nameIn)).toEqual(['kept', 'gone']);
  const other = openForWriting(path, { busyMs: 1_000 });
  onTestFinished(() => other.close());
  other.exec("UPDATE run SET stored_at = 0 WHERE run_id = 'gone'");
  new Retention(other, { ...FOREVER, maxAgeDays: 9 }).sweep();
  // The number of the one that is gone goes to the next that is new.
  writer.write([...named('third', 'third'), ...named('fourth', 'gone')].map(rowOf));
  expect(['kept', 'gone', 'third', 'fourth'].map(nameIn)).toEqual(['kept', undefined, 'third', 'gone']);
});

test('a span whose run has been removed meanwhile is told as such, and never as the one that has its place', () => {
  const path = newPath();
  write(path, inSession('gone', run));
  const store = open(path);
  const [first, second] = store.run('gone')?.spans ?? [];
  expect(first?.body().sessionId).toBe('gone');
  sweeper(path, { maxAgeDays: 9 }).sweep(Date.now() + 10 * DAY_MS);
  const others = run.map((span) => ({ ...span, spanId: span.spanId.replace(/^./, 'f') as typeof span.spanId }));
  write(path, inSession('next', others));
  expect(store.run('next')?.spans[0]?.body().sessionId).toBe('next');
  expect(() => second?.body()).toThrow('no longer stored');
});

test('a session of long ago that is imported today is kept as long as any other', () => {
  const path = newPath();
  write(path, later(run, -400 * DAY_MS));
  sweeper(path, { maxAgeDays: 30 }).sweep();
  expect(open(path).runs().length).toBe(1);
});

test('the oldest runs go while the file is too large, never the newest, and the file becomes smaller', () => {
  const path = newPath();
  // Hex does not compress to less than half.
  const noise = (seed: number): string =>
    Array.from({ length: 20_000 }, (_, i) => ((i * 7919 * seed) ** 2 % 65_537).toString(16)).join('');
  for (let index = 0; index < 60; index++) {
    const large = tool({ id: 9, parent: 1, ms: [0, 10], key: 'large' as SpanKey, output: noise(index + 1) });
    write(path, later(inSession(`run-${index}`, [...run, large]), index * 1000));
  }
  const before = statSync(path).size;
  const retention = sweeper(path, { maxBytes: before / 3 });
  while (!retention.sweep());
  const left = open(path)
    .runs()
    .map(({ id }) => id);
  expect(left.length).toBeGreaterThan(5);
  expect(left.length).toBeLessThan(25);
  expect(left).toEqual(Array.from({ length: left.length }, (_, index) => `run-${59 - index}`));
  sweeper(path, { maxBytes: 1 }).sweep();
  expect(
    open(path)
      .runs()
      .map(({ id }) => id),
  ).toEqual(['run-59']);
});
