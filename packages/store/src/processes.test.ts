import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { newPath } from './__fixtures__/store-folder.ts';

const SPANS_PER_RUN = 20;
let programs = '';

/** In one file a program starts within a tenth of a second; from the sources it takes many times that. */
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-program-'));
  const here = dirname(fileURLToPath(import.meta.url));
  await build({
    entryPoints: {
      writing: join(here, '__fixtures__', 'writing-program.ts'),
      sweeping: join(here, '__fixtures__', 'sweeping-program.ts'),
      reading: join(here, '__fixtures__', 'reading-program.ts'),
      'store-thread': join(here, 'sink', 'store-thread.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@spanprism/source'],
    // The thread is looked for beside the program.
    define: { 'import.meta.url': '__here' },
    banner: { js: "const __here = import.meta.url.replace(/[^/]*$/, 'x.mjs');" },
  });
  programs = folder;
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));

interface Program extends ChildProcess {
  /** What it has said, line by line. */
  readonly acknowledged: readonly string[];
}

const start = (...words: readonly string[]): Program => startProgram('writing', ...words);

function startProgram(name: 'writing' | 'sweeping' | 'reading', ...words: readonly string[]): Program {
  const child = spawn(process.execPath, [join(programs, `${name}.mjs`), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  return Object.defineProperty(child, 'acknowledged', {
    // The last line may be half a one.
    get: () =>
      text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .filter((line) => line !== ''),
  }) as Program;
}

/** How many spans each run has; and that the file is sound and its sums are those of its spans. */
function soundRuns(path: string): ReadonlyMap<string, number> {
  const database = new DatabaseSync(path);
  const all = <T>(sql: string): readonly T[] => database.prepare(sql).all() as T[];
  expect(all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  const [spans] = all(`SELECT count(*) AS spans, sum(cost) AS cost FROM span`);
  expect(all('SELECT sum(spans) AS spans, sum(cost) AS cost FROM run')).toEqual([spans]);
  const calls = all('SELECT count(*) AS calls, sum(cost) AS cost FROM span WHERE kind = 1');
  expect(all('SELECT sum(calls) AS calls, sum(cost) AS cost FROM total_cost WHERE dimension = 0')).toEqual(calls);
  expect(all('SELECT count(*) AS orphans FROM span WHERE body NOT IN (SELECT id FROM body)')).toEqual([{ orphans: 0 }]);
  expect(all('SELECT count(*) AS orphans FROM body WHERE run NOT IN (SELECT id FROM run)')).toEqual([{ orphans: 0 }]);
  expect(all('SELECT dimension, name, sum(cost) AS cost, sum(calls) AS calls FROM run_cost GROUP BY 1, 2')).toEqual(
    all('SELECT dimension, name, cost, calls FROM total_cost ORDER BY 1, 2'),
  );
  expect(all('SELECT count(*) AS nameless FROM span WHERE name NOT IN (SELECT id FROM name)')).toEqual([
    { nameless: 0 },
  ]);
  expect(all('SELECT count(*) AS nameless FROM run_cost WHERE name NOT IN (SELECT id FROM name)')).toEqual([
    { nameless: 0 },
  ]);
  const runs = all<{ readonly run_id: string; readonly spans: number }>(
    'SELECT r.run_id, count(*) AS spans FROM span s JOIN run r ON r.id = s.run GROUP BY 1',
  );
  database.close();
  return new Map(runs.map(({ run_id, spans: count }) => [run_id, count]));
}

test('eight processes that write at once lose nothing', async () => {
  const path = newPath();
  const children = Array.from({ length: 8 }, (_, index) => start(path, `process-${index}`, '40'));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown));
  expect(codes).toEqual(children.map(() => 0));
  const runs = soundRuns(path);
  expect(runs.size).toBe(8 * 40);
  expect(new Set(runs.values())).toEqual(new Set([SPANS_PER_RUN]));
});

test('a store whose writers are killed, a hundred times, holds whole runs, and every one that was acknowledged', async () => {
  const path = newPath();
  const acknowledged: string[] = [];
  let started = 0;
  const killOne = async (): Promise<void> => {
    const name = `killed-${started++}`;
    const child = start(path, name);
    while (child.acknowledged.length === 0) await delay(1);
    // In the middle of something, and each time of something else.
    await delay((started * 7) % 23);
    child.kill('SIGKILL');
    await once(child, 'close');
    acknowledged.push(...child.acknowledged);
  };
  const lane = async (): Promise<void> => {
    while (started < 100) await killOne();
  };
  await Promise.all([lane(), lane()]);
  const runs = soundRuns(path);
  expect(acknowledged.length).toBeGreaterThanOrEqual(100);
  expect(acknowledged.filter((run) => runs.get(run) !== SPANS_PER_RUN)).toEqual([]);
  expect(new Set(runs.values())).toEqual(new Set([SPANS_PER_RUN]));
  expect(statSync(path).mode & 0o777).toBe(0o600);
}, 120_000);

test('a program that calls process.exit() loses nothing', async () => {
  const path = newPath();
  const [code] = await once(start(path, 'exiting', '200', 'exit'), 'exit');
  expect(code).toBe(0);
  const runs = soundRuns(path);
  expect(runs.size).toBe(200);
  expect(new Set(runs.values())).toEqual(new Set([SPANS_PER_RUN]));
});

test('old runs go while three processes write and another reads: whatever is there is whole, and the sums are those of what is there', async () => {
  const path = newPath();
  const writers = Array.from({ length: 3 }, (_, index) => start(path, `process-${index}`, '120'));
  const isOver = Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0] as unknown));
  while (writers.every(({ acknowledged }) => acknowledged.length === 0)) await delay(5);
  const sweeper = startProgram('sweeping', path, String(128 * 1024));
  const reader = startProgram('reading', path);
  expect(await isOver).toEqual(writers.map(() => 0));
  for (const program of [sweeper, reader]) {
    // Neither has ended by itself.
    expect(program.exitCode).toBeNull();
    program.kill('SIGKILL');
    await once(program, 'close');
  }
  const runs = soundRuns(path);
  // A run is written in one piece, so it goes in one, too.
  expect(new Set(runs.values())).toEqual(new Set([SPANS_PER_RUN]));
  expect(runs.size).toBeLessThan(3 * 120);
  expect(sweeper.acknowledged.length).toBeGreaterThan(10);
  expect(reader.acknowledged.filter((word) => word === 'whole').length).toBeGreaterThan(100);
  expect(reader.acknowledged.filter((word) => word !== 'whole' && word !== 'gone')).toEqual([]);
}, 60_000);

const limit = (...words: readonly string[]): readonly string[] => ['prlimit', ...words];
const canLimit = spawnSync('prlimit', ['--version']).status === 0;

test.runIf(canLimit)(
  'where there is no more room nothing acknowledged is lost, and all the rest is stored once there is',
  async () => {
    const path = newPath();
    const command = limit(
      '--fsize=600000:unlimited',
      process.execPath,
      join(programs, 'writing.mjs'),
      path,
      'full',
      '60',
    );
    const [program = '', ...words] = command;
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => void (said[name] += chunk.toString()));
    const acknowledged = (): readonly string[] => said.stdout.split('\n').slice(0, -1);
    while (!said.stderr.includes('\n')) await delay(5);
    expect(said.stderr).toMatch(/^spanprism warn: store: nothing can be stored in .*spans\.db for now: .*\n$/);
    expect(acknowledged().length).toBeGreaterThan(1);
    expect(acknowledged().length).toBeLessThan(60);
    expect([...soundRuns(path).keys()]).toEqual(acknowledged().toSorted());
    spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(acknowledged().length).toBe(60);
    expect([...soundRuns(path)]).toEqual(
      acknowledged()
        .toSorted()
        .map((run) => [run, SPANS_PER_RUN]),
    );
  },
  60_000,
);
