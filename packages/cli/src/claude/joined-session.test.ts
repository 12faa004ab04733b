import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation, OtlpRequest, Session } from '@spanprism/core/sessions';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JoinedSession, type JoinedSessionParts } from './joined-session.ts';

let folder: string;
let opened: (readonly string[])[];
let told: string[];
let troubles: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-joined-'));
  [opened, told, troubles] = [[], [], []];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const session: Session = {
  receive: ({ signal }) => void told.push(signal),
  observe: ({ type, source }) => void told.push(`${source} ${type}`),
  turnOf: () => undefined,
  end: (by) => void told.push(`end ${by}`),
  discard: () => undefined,
  isOver: false,
  counters: { late: 0, duplicate: 0, unplaced: 0, unknown: 0 },
};

function joined(parts: Partial<JoinedSessionParts> = {}): JoinedSession {
  return new JoinedSession({
    open: ({ sources }) => {
      opened.push(sources);
      return session;
    },
    env: { CLAUDE_CONFIG_DIR: folder },
    files: 'one',
    startedAt: 0n,
    isWired: false,
    onTrouble: (error) => void troubles.push(error),
    ...parts,
  });
}

const METRICS: OtlpRequest = { signal: 'metrics', groups: [] };
const logs = (name: string, more: Readonly<Record<string, string>> = {}): OtlpRequest =>
  ({
    signal: 'logs',
    groups: [
      {
        resource: {},
        scope: { name: '' },
        records: [{ at: 1n, attributes: { 'session.id': 'the-session', 'event.name': name, ...more } }],
      },
    ],
  }) as unknown as OtlpRequest;
const LOGS = logs('user_prompt');

test('what passes before any export is kept for the latest requests alone: there may never be one', () => {
  const session = joined({ files: 'none' });
  for (let index = 0; index < 1_000; index++) {
    session.observe({ type: 'session', id: `w${index}`, source: 'wire', at: 0n, sessionId: 'the-session' });
  }
  session.receive(LOGS);
  expect(told.filter((one) => one === 'wire session')).toHaveLength(64);
});

function spans(name: string): OtlpRequest {
  const records = [{ name, attributes: { 'session.id': 'the-session' } }];
  return { signal: 'traces', groups: [{ resource: {}, scope: { name: '' }, records }] } as unknown as OtlpRequest;
}

function writeTranscript(): void {
  mkdirSync(join(folder, 'projects', 'p'), { recursive: true });
  const row = {
    type: 'user',
    uuid: 'u',
    sessionId: 'the-session',
    timestamp: '2026-01-01T00:00:00.000Z',
    message: { role: 'user', content: 'hi' },
  };
  writeFileSync(join(folder, 'projects', 'p', 'the-session.jsonl'), `${JSON.stringify(row)}\n`);
}

test('what is told before the session is known is told in its order', () => {
  writeTranscript();
  const run = joined({ isWired: true });
  run.observe({ type: 'answer-text', source: 'wire' } as Observation);
  run.receive(METRICS);
  expect(opened).toEqual([]);
  run.receive(LOGS);
  expect(opened).toEqual([['cli', 'transcript', 'wire']]);
  expect(told).toEqual(['wire answer-text', 'transcript turn-start', 'transcript session', 'metrics', 'logs']);
});

test('telemetry waits for a transcript that is a little late', () => {
  const run = joined();
  run.receive(LOGS);
  vi.advanceTimersByTime(1_000);
  expect(opened).toEqual([]);
  writeTranscript();
  vi.advanceTimersByTime(250);
  expect(opened).toEqual([['cli', 'transcript']]);
  expect(told.at(-1)).toBe('logs');
});

test('a session may take its time to begin: its file comes with its first prompt', () => {
  const run = joined();
  run.receive(logs('hook_execution_complete'));
  vi.advanceTimersByTime(60_000);
  run.receive(LOGS);
  expect(opened).toEqual([]);
  writeTranscript();
  vi.advanceTimersByTime(250);
  expect(opened).toEqual([['cli', 'transcript']]);
});

test('exports that come thick and fast do not shorten the wait', () => {
  const run = joined();
  for (let count = 0; count < 100; count += 1) run.receive(LOGS);
  expect(opened).toEqual([]);
  writeTranscript();
  vi.advanceTimersByTime(250);
  expect(opened).toEqual([['cli', 'transcript']]);
  expect(told.filter((one) => one === 'logs')).toHaveLength(100);
});

test('telemetry goes on alone when there is none, and when the run is over', async () => {
  const run = joined();
  run.receive(LOGS);
  vi.advanceTimersByTime(4_000);
  expect(opened).toEqual([['cli']]);
  const short = joined();
  short.receive(LOGS);
  await short.end('process-gone', 0);
  expect(opened).toEqual([['cli'], ['cli']]);
  expect(told).toEqual(['logs', 'logs', 'end process-gone']);
});

test('where no file is kept, nothing is looked for', () => {
  writeTranscript();
  joined({ files: 'none' }).receive(LOGS);
  expect(opened).toEqual([['cli']]);
});

test('a transcript that cannot be read any more is told once, and telemetry goes on', () => {
  writeTranscript();
  const run = joined();
  run.receive(LOGS);
  rmSync(join(folder, 'projects'), { recursive: true });
  run.receive(LOGS);
  run.receive(LOGS);
  expect(troubles).toHaveLength(1);
  expect(told.filter((one) => one === 'logs')).toHaveLength(3);
});

test('a file that is there when the run is over is read all the same', async () => {
  const run = joined();
  run.receive(LOGS);
  writeTranscript();
  await run.end('process-gone', Number.POSITIVE_INFINITY);
  expect(opened).toEqual([['cli', 'transcript']]);
  expect(told).toContain('transcript turn-start');
});

test('a long file is read a portion at a time, and for no longer than there is time', async () => {
  vi.useRealTimers();
  writeTranscript();
  appendFileSync(join(folder, 'projects', 'p', 'the-session.jsonl'), `{"type":"user","x":"${'x'.repeat(5 << 20)}`);
  const run = joined();
  run.receive(LOGS);
  expect(troubles).toEqual([]);
  await run.end('process-gone', 0);
  expect(troubles).toHaveLength(1);
  expect(told.at(-1)).toBe('end process-gone');
});

test('a run in which no agent did anything is no session', async () => {
  const run = joined({ files: 'none' });
  for (const name of ['hook_execution_complete', 'plugin_loaded']) run.receive(logs(name));
  run.receive(logs('user_prompt', { command_name: 'exit' }));
  run.receive(METRICS);
  await run.end('process-gone', 0);
  expect(opened).toEqual([]);
});

test.each([
  ['a call', logs('api_request')],
  ['a call that failed', logs('api_error')],
  ['a tool', logs('tool_result')],
  ['the span of a call', spans('claude_code.llm_request')],
  ['the span of a tool', spans('claude_code.tool')],
])('%s is enough for a session, of which all is told then', (_name, request) => {
  const run = joined({ files: 'none' });
  run.receive(METRICS);
  run.receive(logs('user_prompt', { command_name: 'review' }));
  run.receive(request);
  expect(told).toEqual(['metrics', 'logs', request.signal]);
});

test('a run that sent nothing is no session', async () => {
  await joined().end('abort', 0);
  expect(opened).toEqual([]);
});
