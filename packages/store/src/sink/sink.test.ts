import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CapturedSpan, Diag } from '@spanprism/core';
import { tool } from '@spanprism/testkit/samples';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { newFolder, newPath, open, write } from '../__fixtures__/store-folder.ts';
import { openForWriting } from '../open-database.ts';
import { openStore } from '../read/open-store.ts';
import { type Channel, type ChannelOptions, localChannel } from './channel.ts';
import { type SqliteSink, sqliteSink, type SqliteSinkOptions } from './sqlite-sink.ts';
import { StoreWriting } from './store-writing.ts';

/** Longer than anything takes on a busy machine. */
const LONG_MS = 30_000;
const PAGE_BYTES = 4096;

function spans(count: number, first = 1): readonly CapturedSpan[] {
  return Array.from({ length: count }, (_, index) => tool({ id: first + index, ms: [0, 1] }));
}

interface Opened {
  readonly sink: SqliteSink;
  readonly path: string;
  readonly lines: string[];
}

function opened(options: SqliteSinkOptions = {}): Opened {
  const path = options.path ?? newPath();
  const lines: string[] = [];
  const diag: Diag = (level, line) => void (level === 'debug' ? undefined : lines.push(line));
  const sink = sqliteSink({ path, environment: {}, diag, ...options });
  onTestFinished(() => sink.close(1_000).catch(() => undefined));
  return { sink, path, lines };
}

function give(sink: Pick<SqliteSink, 'spanEnd'>, given: readonly CapturedSpan[]): void {
  for (const span of given) sink.spanEnd(span);
}

/** As another process would: until the function is called nobody else can write. */
function lock(path: string): () => void {
  const database = openForWriting(path, { busyMs: 0 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}

/** Where its tables and indexes begin: it opens as ever. */
function overwritePages(path: string): void {
  const database = openForWriting(path, { busyMs: 0 });
  const roots = database.prepare('SELECT rootpage FROM sqlite_schema WHERE rootpage > 0').all();
  database.close();
  const file = readFileSync(path);
  for (const { rootpage } of roots as unknown as { rootpage: number }[]) {
    file.fill(0xa5, (rootpage - 1) * PAGE_BYTES, rootpage * PAGE_BYTES);
  }
  writeFileSync(path, file);
}

const leftovers = (path: string): readonly string[] =>
  readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}-left-`));

test("another process's lock holds up neither the loop nor a span: it is stored when the lock is gone", async () => {
  const { sink, path, lines } = opened();
  const unlock = lock(path);
  give(sink, spans(3));
  let turns = 0;
  const flushed = sink.flush(400).catch((error: unknown) => String(error));
  let failure: string | void | undefined;
  void flushed.then((told) => (failure = told));
  while (failure === undefined) {
    await nextTurn();
    turns += 1;
  }
  expect(failure).toMatch(/3 spans wait to be stored in .*another program holds its lock/);
  expect(turns).toBeGreaterThan(100);
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 3, dropped: {} });
  unlock();
  await sink.flush(LONG_MS);
  expect(sink.stats?.()).toEqual({ delivered: 3, queued: 0, dropped: {} });
  expect(open(path).runs()[0]?.spans).toBe(3);
  expect(lines).toEqual([]);
});

test('what the queue has no room for is dropped, counted, and told once', async () => {
  const { sink, path, lines } = opened({ maxQueuedSpans: 10 });
  const unlock = lock(path);
  give(sink, spans(5));
  expect(sink.fullness).toBe(0.5);
  give(sink, spans(10, 6));
  expect(sink.fullness).toBe(1);
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 10, dropped: { queue_full: 5 } });
  expect(lines.length).toBe(1);
  expect(lines[0]).toMatch(/^store: too many spans wait to be stored, so new ones are dropped/);
  unlock();
  await expect(sink.flush(LONG_MS)).rejects.toThrow(/5 spans could not be stored/);
  await sink.flush(LONG_MS);
  expect(open(path).runs()[0]?.spans).toBe(10);
});

test('bytes are bounded as well, but one span finds room however large it is', () => {
  const { sink, path } = opened({ maxQueuedBytes: 10_000 });
  const unlock = lock(path);
  onTestFinished(unlock);
  give(sink, [tool({ id: 1, ms: [0, 1], input: 'x'.repeat(50_000) }), ...spans(2, 2)]);
  expect(sink.stats?.()).toMatchObject({ queued: 1, dropped: { queue_full: 2 } });
});

test('what comes after close() is dropped and counted', async () => {
  const { sink, lines } = opened();
  await sink.close(LONG_MS);
  give(sink, spans(2));
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { closed: 2 } });
  expect(lines.length).toBe(1);
});

describe('a program that ends', () => {
  test('writes what is queued itself', () => {
    const { sink, path } = opened();
    give(sink, spans(4));
    sink.persistSync();
    expect(open(path).runs()[0]?.spans).toBe(4);
    expect(leftovers(path)).toEqual([]);
  });

  test('has started no thread where it ends soon after its first span; whoever flushes has one at once', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const begin = (): { writing: StoreWriting; path: string; started: () => number } => {
      const path = newPath();
      let started = 0;
      const openThread = (options: ChannelOptions): Channel => {
        started += 1;
        return localChannel(options);
      };
      const backlog = { maxSpans: 100, maxBytes: 1e6 };
      const retention = { maxAgeDays: 30, maxBytes: 1e9 };
      const writing = new StoreWriting({ path, name: 'store', diag: () => undefined, backlog, retention, openThread });
      for (const span of spans(3)) writing.add(span);
      return { writing, path, started: () => started };
    };
    const short = begin();
    const long = begin();
    const flushed = begin();
    const stored = flushed.writing.flush(LONG_MS);
    await vi.advanceTimersByTimeAsync(20);
    await stored;
    short.writing.persistSync();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([short.started(), long.started(), flushed.started()]).toEqual([0, 1, 1]);
    for (const { path } of [short, long, flushed]) expect(open(path).runs()[0]?.spans).toBe(3);
    await Promise.all([long, flushed].map(({ writing }) => writing.close(LONG_MS)));
  });

  test('leaves it for the next start where the lock is held, readable by its owner only', async () => {
    const { sink, path } = opened();
    const unlock = lock(path);
    give(sink, spans(4));
    sink.persistSync();
    unlock();
    const [file = ''] = leftovers(path);
    expect(statSync(join(dirname(path), file)).mode & 0o777).toBe(0o600);
    // Another sink on the same store finds them, also next to what is there already, and as soon as it can.
    write(path, spans(2));
    const again = lock(path);
    const next = opened({ path });
    setTimeout(again, 300);
    give(next.sink, spans(1, 100));
    await next.sink.flush(LONG_MS);
    expect(open(path).runs()[0]?.spans).toBe(5);
    expect(leftovers(path)).toEqual([]);
  });

  test('closes within its deadline, and what a lock held up is there after the next start', async () => {
    const { sink, path, lines } = opened();
    const unlock = lock(path);
    give(sink, spans(4));
    await sink.close(200);
    unlock();
    expect(lines.join()).toMatch(/not everything could be stored in time; 4 spans are in .*-left-/);
    expect(openStore(path, { readOnly: true }).runs()).toEqual([]);
    // Whoever asks may have it stored.
    expect(open(path).runs()[0]?.spans).toBe(4);
    expect(leftovers(path)).toEqual([]);
  });
});

describe('a store that is damaged', () => {
  test('costs no span: they are left over at once, told of once, and stored when it was moved away', async () => {
    const path = newPath();
    write(path, spans(200, 1000));
    overwritePages(path);
    const { sink, lines } = opened({ path });
    give(sink, spans(3));
    await sink.flush(LONG_MS);
    expect(leftovers(path).length).toBe(1);
    give(sink, spans(2, 4));
    await sink.close(LONG_MS);
    expect(leftovers(path).length).toBe(2);
    expect(lines).toEqual([
      expect.stringMatching(
        /^store: .*spans\.db is no SQLite database, or a damaged one: move it away, and a new one is made; 3 spans are in .*-left-/,
      ),
    ]);
    renameSync(path, `${path}.broken`);
    expect(open(path).runs()[0]?.spans).toBe(5);
    expect(leftovers(path)).toEqual([]);
  });

  test('is told of in the words for one that does not open', () => {
    const path = newPath();
    write(path, spans(200));
    overwritePages(path);
    writeFileSync(`${path}-left-x`, '');
    const store = open(path);
    const damage = expect.objectContaining({ name: 'ConfigurationError', code: 'store_corrupt' });
    expect(() => store.runs()).toThrow(damage);
    expect(() => store.cost({ by: 'model' })).toThrow(damage);
    expect(() => store.knownKeys(['a'])).toThrow(damage);
  });
});

test('the thread removes what is too old', async () => {
  const path = newPath();
  write(path, [tool({ id: 1, ms: [0, 1], sessionId: 'old' })]);
  const database = openForWriting(path, { busyMs: 1_000 });
  database.exec('UPDATE run SET stored_at = stored_at - 10 * 86400');
  database.close();
  const { sink } = opened({ path, maxAgeDays: 9 });
  give(sink, [tool({ id: 2, ms: [0, 1], sessionId: 'new' })]);
  await sink.flush(LONG_MS);
  await expect
    .poll(
      () =>
        open(path)
          .runs()
          .map(({ id }) => id),
      { timeout: LONG_MS },
    )
    .toEqual(['new']);
});

test('a line of a leftover that is none is told and skipped', async () => {
  const path = newPath();
  write(path, []);
  writeFileSync(`${path}-left-x`, '{"half": \n');
  const { sink, lines } = opened({ path });
  give(sink, spans(1));
  await sink.flush(LONG_MS);
  expect(lines.join()).toMatch(/1 lines of .*-left-x could not be read/);
  expect(existsSync(`${path}-left-x`)).toBe(false);
});

test.each([
  ['dies', false],
  ['dies, and is heard of once more', true],
])('where there is no thread, or it %s, the main thread writes in its place', async (_, isHeard) => {
  const path = newPath();
  const lines: string[] = [];
  const writing = new StoreWriting({
    path,
    name: 'store',
    diag: (_level, line) => void lines.push(line),
    backlog: { maxSpans: 100, maxBytes: 1e6 },
    retention: { maxAgeDays: 30, maxBytes: 1e9 },
    openThread: ({ onGone, ...options }) => {
      const send = (id: number): void => {
        // It takes one batch, and is gone before it can say so.
        onGone('out of memory');
        if (isHeard) options.tell({ type: 'stored', ids: [id], refused: 0 });
      };
      return { ...localChannel(options), send };
    },
  });
  for (const span of spans(3)) writing.add(span);
  await writing.flush(LONG_MS);
  expect(open(path).runs()[0]?.spans).toBe(3);
  await writing.close(LONG_MS);
  expect(writing.stats()).toEqual({ delivered: 3, queued: 0, dropped: {} });
  expect(lines).toEqual(['store: its thread is not there (out of memory); the main thread writes in its place']);
});

test('a span that cannot be stored holds up no other', async () => {
  const { sink, path, lines } = opened();
  const [bad, ...good] = spans(3);
  give(sink, [{ ...bad, startedAt: 2n ** 70n } as CapturedSpan, ...good]);
  await expect(sink.flush(LONG_MS)).rejects.toThrow(/1 spans could not be stored/);
  expect(open(path).runs()[0]?.spans).toBe(2);
  expect(sink.stats?.()).toEqual({ delivered: 2, queued: 0, dropped: { refused: 1 } });
  expect(lines.join()).toMatch(/a span whose times are no instants cannot be stored/);
});

test('a path that cannot be a store, and limits that are none, are told at once', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), 'x');
  const at = (path: string) => () => sqliteSink({ path, environment: {} });
  expect(at(join(folder, 'file', 'spans.db'))).toThrow(expect.objectContaining({ code: 'store_not_writable' }));
  writeFileSync(join(folder, 'text.db'), 'no database'.repeat(1000));
  expect(at(join(folder, 'text.db'))).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
  const path = newPath();
  expect(() => sqliteSink({ path, maxAgeDays: 0 })).toThrow(
    'maxAgeDays of sqliteSink is 0; it can be a number above 0',
  );
  expect(() => sqliteSink({ path, environment: { SPANPRISM_STORE_MAX_BYTES: '2 GB' } })).toThrow(
    'SPANPRISM_STORE_MAX_BYTES in the environment is 2 GB; it can be a number above 0',
  );
});

test('a store that others can read is closed to them', async () => {
  const path = newPath();
  mkdirSync(dirname(path));
  writeFileSync(path, '');
  chmodSync(path, 0o644);
  opened({ path });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("another program's file keeps its mode", () => {
  const folder = newFolder();
  const [text, database] = [join(folder, 'text.db'), join(folder, 'other.db')];
  writeFileSync(text, 'my notes');
  const other = new DatabaseSync(database);
  other.exec('CREATE TABLE notes (text)');
  other.close();
  for (const path of [text, database]) {
    chmodSync(path, 0o644);
    expect(() => sqliteSink({ path, environment: {} })).toThrow(
      /is (no SQLite database|a database of another program)/,
    );
    expect(statSync(path).mode & 0o777).toBe(0o644);
  }
});

/** What opening it says, in a process of its own: what hangs would hang this one. */
function codeOf(path: string): string {
  const url = new URL('../open-database.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(url)}).then((m) => m.openForWriting(${JSON.stringify(path)}, { busyMs: 0 })).catch((e) => console.log(e.code))`;
  const args = ['--conditions=@spanprism/source', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { timeout: LONG_MS, encoding: 'utf8' }).stdout.trim();
}

test.runIf(process.platform === 'linux')('where no folder can be made it ends, and says so', () => {
  expect(codeOf('/proc/nope/s.db')).toBe('store_not_writable');
});

test.skipIf(process.platform === 'win32')('nobody waits for the other end of a pipe', () => {
  const pipe = join(newFolder(), 'spans.db');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  expect(codeOf(pipe)).toBe('store_unusable');
});
