import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CapturedSpan, SpanId } from '@spanprism/core';
import { agent, at, custom, llm, SAMPLE_TRACES, tool, traceId } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { inSession, newFolder, newPath, open, storeOf, write } from './__fixtures__/store-folder.ts';
import { openStore } from './read/open-store.ts';
import { VERSION } from './schema.ts';
import { defaultStorePath } from './store-path.ts';

const failing: readonly CapturedSpan[] = [
  tool({ id: 2, parent: 1, ms: [5000, 5100], status: 'error', error: { type: 'ShellError', message: 'exit 1' } }),
  agent({
    id: 1,
    ms: [5000, 5200],
    status: 'error',
    outcome: 'api_error',
    error: { type: 'overloaded_error', message: '' },
    attributes: { 'user.id': 'bob' },
    cwd: '/home/bob/shop',
  }),
];
const fine: readonly CapturedSpan[] = [
  llm({ id: 2, parent: 1, ms: [0, 100], costUsd: 0.5 }),
  agent({ id: 1, ms: [0, 200], attributes: { project: 'shop', tags: '["nightly"]', 'vcs.ref.head.name': 'fix' } }),
];

test('runs are found by what they are, newest first', () => {
  const store = storeOf(inSession('fine', fine), inSession('failing', failing));
  const ids = (filter?: Parameters<typeof store.runs>[0]): readonly string[] => store.runs(filter).map(({ id }) => id);
  expect(ids()).toEqual(['failing', 'fine']);
  expect(ids({ limit: 1 })).toEqual(['failing']);
  expect(ids({ failed: true })).toEqual(['failing']);
  expect(ids({ failed: false })).toEqual(['fine']);
  // The folder is the project of those who name none.
  expect(ids({ project: 'shop' })).toEqual(['failing', 'fine']);
  expect(ids({ user: 'bob' })).toEqual(['failing']);
  expect(ids({ tag: 'nightly' })).toEqual(['fine']);
  expect(ids({ branch: 'fix' })).toEqual(['fine']);
  expect(ids({ model: 'claude-sonnet-4-5' })).toEqual(['fine']);
  expect(ids({ model: 'nobody' })).toEqual([]);
  expect(ids({ minCostUsd: 0.5 })).toEqual(['fine']);
  expect(ids({ minCostUsd: 0.500_000_001 })).toEqual([]);
  expect(ids({ since: at(200) })).toEqual(['failing', 'fine']);
  expect(ids({ since: at(200) + 1n })).toEqual(['failing']);
  expect(ids({ until: at(5000) })).toEqual(['fine']);
  expect(store.runs({ failed: true })[0]).toEqual({
    id: 'failing',
    startedAt: at(5000),
    endedAt: at(5200),
    failed: true,
    outcome: 'api_error',
    agentName: 'claude',
    project: 'shop',
    user: 'bob',
    tags: [],
    models: [],
    turns: 1,
    spans: 2,
    llmCalls: 0,
    unpricedCalls: 0,
    toolCalls: 1,
    errors: 2,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
    costNanoUsd: 0,
    unattributedNanoUsd: 0,
  });
});

test('a filter with a field that there is not is told, not ignored', () => {
  const store = storeOf(fine);
  expect(() => store.runs({ projekt: 'shop' } as never)).toThrow(/no projekt; it has since,/);
  expect(() => store.runs({ limit: -1 })).toThrow(/limit is -1/);
  expect(() => store.cost({ by: 'moon' as never })).toThrow(/"moon" is not known; by can be tool, model,/);
});

test('a run is found by the beginning of its id; its spans are whole, parents first', () => {
  for (const [name, spans] of Object.entries(SAMPLE_TRACES)) {
    const detail = storeOf(inSession('sess_1', spans)).run('sess');
    expect(detail?.run.id).toBe('sess_1');
    const bodies = detail?.spans.map((span) => span.body());
    const byId = (list: readonly CapturedSpan[] = []) => list.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1));
    expect([name, byId(bodies)]).toEqual([name, byId(inSession('sess_1', spans))]);
    const seen = new Set<string>();
    for (const { spanId, parentSpanId } of detail?.spans ?? []) {
      const parentIsHere = spans.some((span) => span.spanId === parentSpanId);
      expect(!parentIsHere || seen.has(parentSpanId ?? '')).toBe(true);
      seen.add(spanId);
    }
  }
});

test('a run of many spans is read whole, in order of their starts', () => {
  const count = 20_001;
  const spans = Array.from({ length: count }, (_, index) => tool({ id: index + 1, ms: [count - index, count] }));
  const store = storeOf(spans);
  const [{ id } = { id: '' }] = store.runs();
  expect(store.run(id)?.spans.map(({ spanId }) => spanId)).toEqual(spans.map(({ spanId }) => spanId).toReversed());
});

test('an id is no part of the one before it, however long it is and whatever it is made of', () => {
  const ids = [
    '00000000000000a1',
    '0000',
    '00000000000000a2',
    'is not any hex 1',
    '00000000000000a3',
    'bbXX000000000000',
  ];
  const spans = ids.map((spanId, index) => ({ ...tool({ id: index + 1, ms: [index, 9] }), spanId: spanId as SpanId }));
  const store = storeOf(spans);
  const [{ id } = { id: '' }] = store.runs();
  const stored = ['00000000000000a1', '0000', '00000000000000a2', '', '00000000000000a3', 'bb'];
  expect(store.run(id)?.spans.map(({ spanId }) => spanId)).toEqual(stored);
});

test('several runs that begin so are a question back, none is none', () => {
  const store = storeOf(
    inSession('abc-1', fine),
    inSession('abc-2', fine),
    inSession('abc', fine),
    inSession('a%c', fine),
  );
  expect(() => store.run('abc-')).toThrow(/several runs begin with abc-, such as abc-1 and abc-2/);
  expect(store.run('abc')?.run.id).toBe('abc');
  expect(store.run('abc-2')?.run.id).toBe('abc-2');
  expect(store.run('a%')?.run.id).toBe('a%c');
  expect(store.run('x')).toBeUndefined();
  expect(store.run('')).toBeUndefined();
});

test('a step without a session is a run of its trace', () => {
  const { sessionId: _, ...step } = custom({ id: 1, ms: [0, 10], status: 'error' });
  expect(
    storeOf([step as CapturedSpan])
      .runs()
      .map(({ id, failed }) => [id, failed]),
  ).toEqual([[traceId(1), true]]);
});

test('failures come newest first, with their run and the whole span', () => {
  const store = storeOf(inSession('failing', failing), inSession('fine', fine));
  const found = store.failures();
  expect(found.map(({ run, span }) => [run.id, span.kind, span.name, span.errorType])).toEqual([
    ['failing', 'agent', 'claude', 'overloaded_error'],
    ['failing', 'tool', 'Bash', 'ShellError'],
  ]);
  expect(found[1]?.span.body().error).toEqual({ type: 'ShellError', message: 'exit 1' });
  expect(store.failures({ limit: 1 }).length).toBe(1);
  expect(store.failures({ project: 'other' })).toEqual([]);
});

test('keys are found, by import and by whoever else asks', () => {
  const store = storeOf(fine);
  expect(store.knownKeys(['key:2', 'key:3'])).toEqual(new Set(['key:2']));
});

test('a store that is not there, damaged, of another program or newer says so and what to do', () => {
  const path = newPath();
  expect(() => openStore(path)).toThrow(expect.objectContaining({ name: 'ConfigurationError', code: 'store_missing' }));
  mkdirSync(dirname(path));
  writeFileSync(path, 'this is no database, and long enough to be looked at as if it were one'.repeat(50));
  expect(() => openStore(path)).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
  const foreign = join(newFolder(), 'x.db');
  new DatabaseSync(foreign).exec('CREATE TABLE t (a)');
  expect(() => openStore(foreign)).toThrow(expect.objectContaining({ code: 'store_foreign' }));
  const newer = newPath();
  write(newer, fine);
  new DatabaseSync(newer).exec(`PRAGMA user_version = ${VERSION + 1}`);
  expect(() => openStore(newer)).toThrow(expect.objectContaining({ code: 'store_newer' }));
  expect(() => write(newer, fine)).toThrow(/newer spanprism .*update spanprism/);
});

test('reading changes nothing, also where nothing may be written', () => {
  const path = newPath();
  write(path, fine);
  const copy = join(newFolder(), 'copy.db');
  copyFileSync(path, copy);
  const before = statSync(copy).mtimeMs;
  expect(open(copy).runs().length).toBe(1);
  expect(statSync(copy).mtimeMs).toBe(before);
});

test('folder and files are for their owner only', () => {
  const path = newPath();
  const database = new Map<string, number>();
  write(path, fine);
  const reader = new DatabaseSync(path);
  reader.exec('CREATE TEMP TABLE t (a); BEGIN; SELECT * FROM run');
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    database.set(file.slice(path.length), statSync(file).mode & 0o777);
  reader.close();
  expect(Object.fromEntries(database)).toEqual({ '': 0o600, '-wal': 0o600, '-shm': 0o600 });
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

test('the store is where the environment says', () => {
  expect(defaultStorePath({ SPANPRISM_STORE: '/a/b.db', XDG_DATA_HOME: '/x', HOME: '/h' })).toBe('/a/b.db');
  expect(defaultStorePath({ XDG_DATA_HOME: '/x', HOME: '/h' })).toBe('/x/spanprism/spans.db');
  expect(defaultStorePath({ HOME: '/h' })).toBe('/h/.local/share/spanprism/spans.db');
});
