import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { createSessions, type Observation } from '@spanprism/core/sessions';
import { openStore, sqliteSink } from '@spanprism/store';
import { startCollector } from '@spanprism/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SessionText } from '../../../core/src/sources/transcript/__fixtures__/session-text.ts';
import { runCommandLine } from '../run-command-line.ts';
import type { ImportReport } from './report.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const FORK = '22222222-2222-4222-8222-222222222222';
const NOW = new Date('2026-11-22T00:00:00Z');

let home: string;
let projects: string;
let storePath: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'spanprism-import-'));
  projects = join(home, '.claude', 'projects');
  storePath = join(home, 'data', 'spanprism', 'spans.db');
  mkdirSync(projects, { recursive: true });
});

afterEach(() => rmSync(home, { recursive: true }));

interface Written {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function collected(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Written> {
  const [stdout, stderr] = [collected(), collected()];
  const exitCode = await runCommandLine(['import', ...args], {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { HOME: home, XDG_DATA_HOME: join(home, 'data'), ...env },
    cwd: home,
    isTerminal: false,
    columns: 80,
    now: () => NOW,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

async function report(args: readonly string[] = []): Promise<ImportReport> {
  const { stdout, stderr } = await run(['--json', ...args]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as ImportReport;
}

/** Written to long ago unless said. */
function write(rows: SessionText | string, id: string = ID, at: Date = new Date('2026-11-21T10:00:00Z')): string {
  const path = join(projects, '-srv-project', `${id}.jsonl`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof rows === 'string' ? rows : rows.text);
  utimesSync(path, at, at);
  return path;
}

const session = (): SessionText =>
  new SessionText(ID).prompt('go').ask('toolu_1').result('toolu_1').say('done').exit(0.5, { input: 220, output: 84 });

/** All that a store says. */
function stored() {
  const store = openStore(storePath, { readOnly: true });
  try {
    const runs = store.runs().flatMap(({ id }) => store.run(id) ?? []);
    const whole = runs.map((one) => ({
      ...one,
      spans: one.spans.map(({ body, ...span }) => ({ ...span, body: body() })),
    }));
    return { runs: whole, cost: store.cost({ by: 'branch' }) };
  } finally {
    store.close();
  }
}

const count = ({ imported: [place] }: ImportReport) => [place?.runs, place?.turns, place?.spans, place?.knownTurns];

test('says where there is nothing to read', async () => {
  const { exitCode, stderr } = await run([]);
  expect(exitCode).toBe(0);
  expect(stderr).toBe(
    `spanprism: no sessions in ${projects}; Claude Code keeps each in <id>.jsonl below ~/.claude/projects\n`,
  );
  write(new SessionText(ID));
  expect((await run(['--since', '1h'])).stderr).toBe('');
});

test('what Claude Code answers itself is no turn of a run, and no run', async () => {
  write(new SessionText(ID).prompt('go').say('done').command('cost', '$0.50').command('exit', 'Bye!').exit(0.5));
  write(new SessionText(FORK).command('cost', '$0.00').exit(0), FORK);
  expect(count(await report())).toEqual([1, 1, 2, 0]);
  expect(stored().runs.map(({ run: one }) => one)).toMatchObject([{ id: ID, turns: 1, costNanoUsd: 500_000_000 }]);
});

test('a session is a run of the store, with its content, its branch and its cost', async () => {
  write(session());
  expect(count(await report())).toEqual([1, 1, 4, 0]);
  const { runs, cost } = stored();
  expect(runs.map(({ run: one }) => one)).toMatchObject([
    {
      id: ID,
      turns: 1,
      llmCalls: 2,
      toolCalls: 1,
      project: 'project',
      branch: 'main',
      costNanoUsd: 5e8,
      outcome: 'completed',
    },
  ]);
  expect(runs[0]?.spans.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    'agent ok',
    'llm ok',
    'tool ok',
    'llm ok',
  ]);
  expect(
    JSON.stringify(runs[0]?.spans, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).toContain('"go"');
  expect(cost.rows[0]).toMatchObject({ name: 'main', costNanoUsd: 5e8 });
});

test('importing twice changes nothing', async () => {
  write(session().prompt('more').say('yes').exit(0.75));
  await report();
  const before = stored();
  expect(count(await report())).toEqual([0, 0, 0, 2]);
  expect(stored()).toEqual(before);
});

test('of a session that has gone on, the rest is added', async () => {
  const rows = session();
  write(rows);
  await report();
  write(rows.prompt('more').say('yes').exit(0.75));
  expect(count(await report())).toEqual([1, 1, 2, 1]);
  expect(stored().runs.map(({ run: one }) => [one.turns, one.costNanoUsd])).toEqual([[2, 7.5e8]]);
});

test('history that a fork copied is counted once, and belongs to the session that it was copied from', async () => {
  const rows = new SessionText(ID).prompt('go').ask('toolu_1').result('toolu_1').say('done');
  rows.exit(0.5, { input: 2_220, output: 84 });
  // Read in the order in which they were written to: the original has gone on after the fork.
  const fork = rows.fork(FORK).prompt('other').say('way').exit(0.75, { input: 3_330, output: 126 });
  write(fork, FORK, new Date('2026-11-21T09:00:00Z'));
  write(rows);
  await report();
  const { runs } = stored();
  // Of each its own: neither is set against the calls of the other.
  const told = runs.map(({ run: one }) => [one.id, one.turns, one.spans, one.costNanoUsd, one.usage.inputTokens]);
  expect(told.toSorted()).toEqual([
    [ID, 1, 4, 5e8, 2_220],
    [FORK, 1, 2, 2.5e8, 1_110],
  ]);
  const before = stored();
  await report();
  expect(stored()).toEqual(before);
});

test('what a fork of a session that had not yet said its last word has used itself is unknown', async () => {
  const rows = new SessionText(ID).prompt('go').say('done');
  write(rows.fork(FORK).prompt('other').say('way').exit(0.75), FORK, new Date('2026-11-21T09:00:00Z'));
  write(rows.prompt('more').say('yes').exit(0.5));
  await report();
  expect(stored().runs.find(({ run: one }) => one.id === FORK)?.run.costNanoUsd).toBe(0);
});

test('what was there already is told in words', async () => {
  write(session());
  await run([]);
  expect((await run([])).stdout).toMatch(/; 1 turn was there already\n/);
  write(session().prompt('more').say('yes').exit(0.75));
  await run([]);
  expect((await run([])).stdout).toMatch(/Added 0 spans of 0 turns in 0 runs to .*; 2 turns were there already\n/);
});

const agent = { turn: 0 };
const at = (seconds: number): bigint => 1_795_248_000_000_000_000n + BigInt(seconds) * 1_000_000_000n;

/** The same turn as telemetry tells of it while it happens: it knows no ids of messages. */
async function traceLive(
  prompt: { readonly userMessageId?: string },
  requests = [`req_${ID}_1`, `req_${ID}_3`],
): Promise<void> {
  const base = { source: 'transcript', agent } as const;
  const answer = {
    ...base,
    type: 'answer',
    model: 'claude-sonnet-4-5',
    usage: { inputTokens: 1_110, outputTokens: 42 },
  } as const;
  const tool = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} } as const;
  const [first = {}, second = {}] = requests.map((requestId) => ({ requestId }));
  const end = { subtype: 'success', isError: false, permissionDenials: 0 } as const;
  const seen: Observation[] = [
    { ...base, type: 'session', id: 's', at: at(1), turn: 0, sessionId: ID },
    { ...base, type: 'turn-start', id: 't', at: at(1), turn: 0, ...prompt },
    { ...answer, id: 'a', at: at(2), call: first, blocks: [tool], stopReason: 'tool_use' },
    { ...base, type: 'tool-result', id: 'r', at: at(3), toolCallId: 'toolu_1', output: 'done', isError: false },
    { ...answer, id: 'b', at: at(4), call: second, blocks: [{ type: 'text', text: 'done' }], stopReason: 'end_turn' },
    { ...base, type: 'turn-result', id: 'e', at: at(4), turn: 0, ...end },
  ];
  const sessions = createSessions({ sinks: [sqliteSink({ path: storePath })] });
  const live = sessions.open({ sources: ['transcript'] });
  for (const one of seen) live.observe(one);
  live.end();
  await sessions.close();
}

test.each([{}, { userMessageId: `${ID}-1` }])(
  'a turn that was traced while it happened is not doubled, prompt %j',
  async (prompt) => {
    await traceLive(prompt);
    const before = stored();
    write(session());
    expect(count(await report())).toEqual([0, 0, 0, 1]);
    expect(stored()).toEqual(before);
  },
);

test('nor is one whose calls have other names there, because the API gave them none', async () => {
  await traceLive({ userMessageId: `${ID}-1` }, ['span-1', 'span-2']);
  const before = stored();
  write(session());
  expect(count(await report())).toEqual([0, 0, 0, 1]);
  expect(stored()).toEqual(before);
});

test('an import that was cut off within a turn is completed by the next', async () => {
  write(session());
  await report();
  const whole = stored();
  // Of the turn, only what ended before it has arrived.
  const children = whole.runs
    .flatMap(({ spans }) => spans.map(({ body }) => body))
    .filter(({ kind }) => kind !== 'agent');
  for (const end of ['', '-wal', '-shm']) rmSync(`${storePath}${end}`, { force: true });
  const sink = sqliteSink({ path: storePath });
  for (const span of children) sink.spanEnd(span);
  await sink.close(5_000);
  expect(count(await report())).toEqual([1, 1, 1, 0]);
  expect(stored()).toEqual(whole);
});

test('a session that may still be running is left for the next time, unless it is asked for', async () => {
  const rows = new SessionText(ID).prompt('go').ask('toolu_1');
  const path = write(rows, ID, new Date(NOW.getTime() - 60_000));
  const left = await report();
  expect([left.sessions, left.running]).toEqual([0, [path]]);
  expect((await report(['--running', '--dry-run'])).sessions).toBe(1);
  expect((await report([path, '--dry-run'])).sessions).toBe(1);
  write(rows.exit(0.5), ID, new Date(NOW.getTime() - 60_000));
  expect((await report(['--dry-run'])).sessions).toBe(1);
});

test('of a session that goes on, turns are imported when they are over, and the last with what the process cost', async () => {
  const now = new Date(NOW.getTime() - 60_000);
  const rows = new SessionText(ID).prompt('one').say('1').prompt('two').ask('toolu_1');
  write(rows, ID, now);
  expect(count(await report(['--running']))).toEqual([1, 1, 2, 0]);
  write(rows.result('toolu_1').say('2'), ID, now);
  expect(count(await report(['--running']))).toEqual([0, 0, 0, 1]);
  write(rows.exit(0.5), ID, now);
  expect(count(await report())).toEqual([1, 1, 4, 1]);
  const grown = stored();
  rmSync(dirname(storePath), { recursive: true });
  expect(count(await report())).toEqual([1, 2, 6, 0]);
  expect(stored()).toEqual(grown);
  expect(grown.runs.map(({ run: one }) => one)).toMatchObject([{ turns: 2, costNanoUsd: 500_000_000 }]);
});

test('a dry run says what would be added and leaves nothing behind', async () => {
  write(session());
  expect(count(await report(['--dry-run']))).toEqual([1, 1, 4, 0]);
  expect(existsSync(dirname(storePath))).toBe(false);
  await report();
  const before = stored();
  expect(count(await report(['--dry-run']))).toEqual([0, 0, 0, 1]);
  expect(stored()).toEqual(before);
});

test('since leaves out what began before', async () => {
  write(
    session()
      .prompt('later', { timestamp: '2026-11-21T09:30:00.000Z' })
      .say('yes', { fields: { timestamp: '2026-11-21T09:30:01.000Z' } }),
  );
  expect(count(await report(['--since', '2026-11-21T09:00Z', '--dry-run']))).toEqual([1, 1, 2, 0]);
  expect((await report(['--since', '2026-11-21T11:00Z', '--dry-run'])).sessions).toBe(0);
});

test('lines that cannot be read are named with their place and the rest is imported', async () => {
  const path = write(`${session().line('{"type":"from-the-future"}').text}{"type":"assis`);
  const { exitCode, stdout } = await run([]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`Added 4 spans of 1 turn in 1 run to ${storePath}`);
  expect(stdout).toContain(
    `Skipped 2 lines:\n  ${path}:6: of unknown type from-the-future\n  ${path}:7: cut off in the middle\n`,
  );
});

test('a backend is sent each turn once, and what did not arrive again', async () => {
  await using collector = await startCollector();
  const to = ['--otlp-endpoint', collector.url];
  const rows = session();
  write(rows);
  collector.behave({ kind: 'status', status: 400 });
  expect((await run(to)).exitCode).toBe(1);
  collector.behave({ kind: 'accept' });
  expect(count(await report(to))).toEqual([1, 1, 4, 0]);
  expect(collector.spans()).toHaveLength(4);
  expect(count(await report(to))).toEqual([0, 0, 0, 1]);
  write(rows.prompt('more').say('yes').exit(0.75));
  expect(count(await report(to))).toEqual([1, 1, 2, 1]);
  expect(collector.spans()).toHaveLength(6);
  expect(existsSync(storePath)).toBe(false);
});

test.skipIf(process.platform !== 'linux')(
  'a file that cannot be read is told, and the others are imported',
  async () => {
    const { exitCode, stdout } = await run(['/proc/self/mem', write(session())]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`Added 4 spans of 1 turn in 1 run to ${storePath}`);
    expect(stdout).toMatch(/^Cannot read \/proc\/self\/mem: EIO/m);
  },
);

test('each place is given what it lacks', async () => {
  await using collector = await startCollector();
  write(session());
  await report();
  const { imported } = await report(['--store', '--otlp-endpoint', collector.url]);
  expect(imported.map(({ spans, knownTurns }) => [spans, knownTurns])).toEqual([
    [4, 0],
    [0, 1],
  ]);
  expect(collector.spans()).toHaveLength(4);
});

test('sessions are where Claude Code is told to keep them', async () => {
  write(session());
  const { stdout } = await run(['--json', '--dry-run'], { HOME: '/nowhere', CLAUDE_CONFIG_DIR: join(home, '.claude') });
  expect((JSON.parse(stdout) as ImportReport).sessions).toBe(1);
});

test('what is wrong is one line that says what to do', async () => {
  const missing = await run(['nowhere']);
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toMatch(/^spanprism: there is no .*nowhere; name session files or folders .*\n$/);
  expect((await run(['--since', 'tomorrow'])).exitCode).toBe(2);
});
