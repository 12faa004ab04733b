import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { CapturedSpan, SpanKey } from '@spanprism/core';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { expect, onTestFinished, test } from 'vitest';
import { inSession, newPath, open, write } from '../__fixtures__/store-folder.ts';
import { openForWriting } from '../open-database.ts';
import type { CostDimension } from '../store.ts';
import { Retention, type RetentionLimits } from './retention.ts';

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

/** All tables but names, which are shared. */
function contents(path: string): Record<string, number> {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = ['run', 'run_tag', 'run_cost', 'total_cost', 'span', 'body', 'alias'];
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
