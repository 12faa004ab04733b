import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { turn } from './__fixtures__/drafts.ts';
import { writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { FILL_LIMIT_MS, storeFolder } from './__fixtures__/store-folder.ts';
import { TOLD_RUNS } from './__fixtures__/told-runs.ts';

const folder = await storeFolder();
const store = join(folder, 'spans.db');
const empty = join(folder, 'empty.db');
const many = join(folder, 'many.db');
const foreign = join(folder, 'notes.txt');
const missing = join(folder, 'missing.db');

beforeAll(async () => {
  await writeSpans(store, { spans: TOLD_RUNS });
  await writeSpans(empty, { spans: [] });
  await writeSpans(many, {
    spans: Array.from({ length: 2_000 }, (_, index) =>
      turn({ id: 't', session: `run-${index}`, at: [index, index + 1] }),
    ),
  });
  await writeFile(foreign, 'not a database, but long enough to look like one '.repeat(100));
}, FILL_LIMIT_MS);

const EVERY = [['runs'], ['show'], ['failures'], ['cost']];

describe.each(EVERY)('spanprism %s', (name) => {
  test('says where it looked for a store and how there comes to be one', async () => {
    const { exitCode, stdout, stderr } = await runReport([name], { store: missing });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^spanprism: there is no store at .*missing\.db.*`spanprism claude`.*SPANPRISM_STORE.*\n$/);
  });

  test('says of a file that is no store that it is none', async () => {
    const { exitCode, stdout, stderr } = await runReport([name, '--json'], { store: foreign });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^spanprism: .*notes\.txt is no SQLite database.*\n$/);
  });

  test('says of an empty store how to fill it', async () => {
    const { exitCode, stdout, stderr } = await runReport([name], { store: empty });
    expect({ exitCode, stdout }).toEqual({ exitCode: name === 'show' ? 2 : 0, stdout: '' });
    expect(stderr).toMatch(
      /^spanprism: (?:there are )?no runs in .*empty\.db yet; trace one with `spanprism claude`.*\n$/,
    );
  });

  test('refuses what it does not know, and says where to look', async () => {
    const { exitCode, stderr } = await runReport([name, '--colour'], { store });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`^spanprism: ${name}: unknown option '--colour'; spanprism help ${name} lists its options\n$`, 'i'),
    );
  });
});

test.each([
  [['runs', '--since', 'yesterday'], '--since "yesterday" is no time; give how long ago (90m, 2h, 7d) or a date'],
  [['runs', '--since', '1h', '--until', '2h'], '--since 1h is later than --until 2h; exchange the two'],
  [['runs', '--min-cost', 'lots'], '--min-cost "lots" is no amount of dollars; give a number such as 0.50'],
  [['failures', '--limit', '-1'], '--limit'],
  [['cost', '--limit', 'ten'], '--limit "ten" is no number of rows; give a whole number, 0 for all'],
  [['cost', '--by', 'mood'], '--by "mood" is nothing to group by; give one of tool, model,'],
  [['runs', '--project', ''], '--project is empty; give it a value, or leave it out'],
  [['runs', 'session-1'], 'runs: unexpected "session-1"; spanprism help runs lists its options'],
  [['show', 'a', 'b'], 'show: unexpected "b"; give one run, or none for the latest'],
  [['show', 'nope'], 'there is no run "nope" in'],
  [['show', ''], 'there is no run "" in'],
  [['show', 'session-'], 'several runs begin with session-'],
  [['show', '%'], 'there is no run "%" in'],
])('%j is refused in one line that says what is wrong and what to do', async (args, message) => {
  const { exitCode, stdout, stderr } = await runReport(args, { store });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test.each([
  ['runs', 'no runs that match in'],
  ['failures', 'nothing failed in runs that match in'],
  ['cost', 'no runs that match in'],
])('%s that finds nothing says so, and is not an error', async (name, message) => {
  const filter = ['--project', 'no such project'];
  const table = await runReport([name, ...filter], { store });
  expect(table).toMatchObject({ exitCode: 0, stdout: '' });
  expect(table.stderr).toContain(`spanprism: ${message} ${store}`);
  const json = await runReport([name, ...filter, '--json'], { store });
  expect(json).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({ total: {} });
});

test.each([
  [['--since', '2026-11-21'], 2],
  [['--until', '2026-11-20'], 0],
  [['--until', '2026-11-21'], 2],
  [['--since', '2026-11-21T08:00:30Z'], 1],
  [['--until', '2026-11-21T08:00:30Z'], 1],
  [['--since', '2h'], 0],
  [['--since', '17h'], 2],
  [['--failed'], 1],
  [['--project', 'greeting'], 1],
  [['--project', '挨拶'], 1],
  [['--model', 'claude-haiku-4-5'], 1],
  [['--user', 'grace'], 1],
  [['--branch', 'main'], 1],
  [['--tag', 'ci'], 1],
  [['--tag', 'c'], 0],
  [['--min-cost', '0.0211'], 1],
  [['--min-cost', '$0.022'], 0],
  [['--tag', 'ci', '--user', 'grace'], 0],
])('runs %j finds %i of two', async (filter, count) => {
  const { stdout } = await runReport(['runs', '--json', ...filter], { store });
  expect((JSON.parse(stdout) as { runs: unknown[] }).runs).toHaveLength(count);
});

test('rows are limited in a table and not in a document', async () => {
  const table = await runReport(['runs'], { store: many });
  expect(table.stdout.trimEnd().split('\n')).toHaveLength(21);
  expect(table.stderr).toBe('The newest 20; --limit 0 shows all\n');
  const all = await runReport(['runs', '--limit', '0'], { store: many });
  expect(all.stdout.trimEnd().split('\n')).toHaveLength(2_001);
  const { stdout } = await runReport(['runs', '--json'], { store: many });
  expect(JSON.parse(stdout)).toMatchObject({ total: { runs: 2_000 }, hasMore: false });
});

test('the beginning of an id that is one run is that run, even where others begin with it', async () => {
  const { stdout } = await runReport(['show', 'run-1', '--json'], { store: many });
  expect(JSON.parse(stdout)).toMatchObject({ run: { id: 'run-1' } });
});

test('whoever reads only the beginning ends it without a word', async () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@spanprism/source', main, 'runs', '--json'], {
    env: { PATH: '', SPANPRISM_STORE: many },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = await once(child, 'close');
  expect({ code, stderr: Buffer.concat(errors).toString() }).toEqual({ code: 0, stderr: '' });
});
