import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation } from '@spanprism/core/sessions';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTranscript } from './find-transcript.ts';
import { TranscriptTail } from './transcript-tail.ts';

let folder: string;
let path: string;
let seen: Observation[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-tail-'));
  path = join(folder, 'session.jsonl');
  seen = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const nanos = (second: number): bigint => BigInt(Date.UTC(2026, 0, 1, 0, 0, second)) * 1_000_000n;

function prompt(second: number, text: string): string {
  const message = { role: 'user', content: text };
  return `${JSON.stringify({ type: 'user', uuid: `u${second}`, sessionId: 's', timestamp: at(second), message })}\n`;
}

function answer(second: number, text: string): string {
  const message = {
    id: `msg_${second}`,
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 2 },
  };
  const row = {
    type: 'assistant',
    uuid: `a${second}`,
    sessionId: 's',
    requestId: `req_${second}`,
    timestamp: at(second),
    message,
  };
  return `${JSON.stringify(row)}\n`;
}

function tail(since = 0n): TranscriptTail {
  return new TranscriptTail(path, { since, observe: (observation) => void seen.push(observation) });
}

const types = (): readonly string[] => seen.splice(0).map(({ type }) => type);

test('rows are told once, when they are whole', () => {
  const row = answer(2, 'Hello.');
  writeFileSync(path, prompt(1, 'hi') + row.slice(0, 40));
  const reading = tail();
  reading.poll();
  expect(types()).toContain('turn-start');
  reading.poll();
  expect(types()).toEqual([]);
  appendFileSync(path, row.slice(40));
  reading.poll();
  expect(seen.find(({ type }) => type === 'answer')).toMatchObject({
    call: { requestId: 'req_2', messageId: 'msg_2' },
  });
});

test('the end of the file is the end of the turn, and never of the process', () => {
  writeFileSync(path, prompt(1, 'hi') + answer(2, 'Hello.'));
  tail().end();
  const told = types();
  expect(told).toContain('turn-result');
  expect(told).not.toContain('query-end');
  expect(told).not.toContain('counters');
});

test('of a session that is resumed, what other processes wrote is not told again', () => {
  writeFileSync(path, prompt(1, 'before') + answer(2, 'Then.') + prompt(10, 'after') + answer(11, 'Now.'));
  tail(nanos(9)).end();
  expect(seen.flatMap((one) => (one.type === 'turn-start' ? [one.turn] : []))).toEqual([0]);
  expect(
    JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('Then.');
  expect(seen.find(({ type }) => type === 'turn-result')).not.toHaveProperty('totals');
});

test('a session is found by its id, in whatever project', () => {
  const file = join(folder, 'projects', '-some-project', 'the-id.jsonl');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  expect(findTranscript('the-id', { CLAUDE_CONFIG_DIR: folder })).toBe(file);
  expect(findTranscript('other', { CLAUDE_CONFIG_DIR: folder })).toBeUndefined();
  expect(findTranscript('the-id', { CLAUDE_CONFIG_DIR: join(folder, 'nowhere') })).toBeUndefined();
});
