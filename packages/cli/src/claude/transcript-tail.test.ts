import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation } from '@spanprism/core/sessions';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

function tail(since = 0n, more: { readonly portionBytes?: number } = {}): TranscriptTail {
  return new TranscriptTail(path, { since, observe: (observation) => void seen.push(observation), ...more });
}

/** Reads to the end of the files; in how many portions. */
function readAll(reading: TranscriptTail): number {
  let portions = 1;
  while (reading.poll()) portions += 1;
  return portions;
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
  const reading = tail();
  readAll(reading);
  reading.end();
  const told = types();
  expect(told).toContain('turn-result');
  expect(told).not.toContain('query-end');
  expect(told).not.toContain('counters');
});

test('of a session that is resumed, what other processes wrote is not told again', () => {
  writeFileSync(path, prompt(1, 'before') + answer(2, 'Then.') + prompt(10, 'after') + answer(11, 'Now.'));
  const reading = tail(nanos(9));
  readAll(reading);
  reading.end();
  expect(seen.flatMap((one) => (one.type === 'turn-start' ? [one.turn] : []))).toEqual([0]);
  expect(
    JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('Then.');
  expect(seen.find(({ type }) => type === 'turn-result')).not.toHaveProperty('totals');
});

test('of a session that is resumed, turns are counted anew, whatever earlier processes left', () => {
  const sums = `${JSON.stringify({ type: 'cost-state', sessionId: 's', modelUsage: { m: { inputTokens: 1 } }, totalCostUSD: 1 })}\n`;
  const own = prompt(10, 'one') + answer(11, 'Un.') + prompt(12, 'two') + answer(13, 'Deux.');
  writeFileSync(path, prompt(1, 'before') + answer(2, 'Then.') + sums + own);
  readAll(tail(nanos(9)));
  expect(seen.flatMap((one) => (one.type === 'turn-start' ? [one.turn] : []))).toEqual([0, 1]);
});

describe('a long file', () => {
  const PORTION = 1 << 16;
  const LONG = 'x'.repeat(40 * PORTION);

  afterEach(() => vi.restoreAllMocks());

  /** How many bytes line feeds and times were looked for in. */
  function bytesSearched(run: () => void): number {
    let bytes = 0;
    const { indexOf } = Buffer.prototype;
    vi.spyOn(Buffer.prototype, 'indexOf').mockImplementation(function search(this: Buffer, value, from, encoding) {
      const found = indexOf.call(this, value, from as number, encoding);
      bytes += (found === -1 ? this.length : found) - Number(from ?? 0);
      return found;
    });
    run();
    return bytes;
  }

  test('is read a portion at a time', () => {
    writeFileSync(path, prompt(1, 'hi') + answer(2, LONG));
    const portions = Math.ceil(statSync(path).size / PORTION);
    expect(readAll(tail(0n, { portionBytes: PORTION }))).toBe(portions);
    expect(seen.find(({ type }) => type === 'answer')).toMatchObject({ blocks: [{ text: LONG }] });
  });

  test('has no byte that is looked at for each portion of its line', () => {
    writeFileSync(path, prompt(1, LONG) + answer(2, LONG));
    const { size } = statSync(path);
    expect(bytesSearched(() => readAll(tail(0n, { portionBytes: PORTION })))).toBeLessThan(2 * size);
  });

  test('from before the run is passed over without being parsed', () => {
    writeFileSync(path, prompt(1, LONG).repeat(3) + answer(2, 'Then.') + prompt(10, 'now'));
    const parse = vi.spyOn(JSON, 'parse');
    readAll(tail(nanos(9), { portionBytes: PORTION }));
    expect(parse).toHaveBeenCalledTimes(1);
    expect(types()).toContain('turn-start');
  });

  test('holds back what others tell until it was read as far', () => {
    const subagents = join(folder, 'session', 'subagents');
    mkdirSync(subagents, { recursive: true });
    writeFileSync(join(subagents, 'agent-a.jsonl'), prompt(3, LONG) + answer(4, 'Subagent.'));
    writeFileSync(path, prompt(1, 'hi') + answer(2, LONG) + prompt(10, 'again'));
    readAll(tail(0n, { portionBytes: PORTION }));
    const told = seen.map(({ type, at: when }) => `${type} ${when}`);
    expect(told).toContain(`answer ${nanos(4)}`);
    expect(told.indexOf(`answer ${nanos(4)}`)).toBeLessThan(told.indexOf(`turn-start ${nanos(10)}`));
  });
});

test('a session is found by its id, in whatever project', () => {
  const file = join(folder, 'projects', '-some-project', 'the-id.jsonl');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  expect(findTranscript('the-id', { CLAUDE_CONFIG_DIR: folder })).toBe(file);
  expect(findTranscript('other', { CLAUDE_CONFIG_DIR: folder })).toBeUndefined();
  expect(findTranscript('the-id', { CLAUDE_CONFIG_DIR: join(folder, 'nowhere') })).toBeUndefined();
});

test('rows of one file are told in the order in which they were written, whatever their times', () => {
  const session = { sessionId: 's', uuid: 'boundary', timestamp: at(3) };
  const boundary = { ...session, type: 'system', subtype: 'compact_boundary', compactMetadata: { trigger: 'manual' } };
  const command = '<command-name>/compact</command-name>';
  // As Claude Code 2.1.329 writes a `/compact`: what came of it, then what asked for it, with the time at which it did.
  writeFileSync(path, `${JSON.stringify(boundary)}\n${prompt(2, command)}`);
  readAll(tail());
  expect(seen.find(({ type }) => type === 'turn-start')).toMatchObject({ userMessageId: 'u2', trigger: 'command' });
  expect(seen.find(({ type }) => type === 'event')).toMatchObject({ event: { name: 'compaction' } });
});
