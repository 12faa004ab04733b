import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import { SessionText } from './__fixtures__/session-text.ts';
import { type Line, linesOf } from './lines.ts';
import { sessionFiles, subagentsBeside } from './session-files.ts';
import { readSession } from './session-rows.ts';
import { TranscriptReader } from './transcript-reader.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-rows-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const textOf = ({ number, bytes, isCut }: Line) => ({ number, text: bytes?.toString(), ...(isCut ? { isCut } : {}) });

test('lines longer than a chunk are whole, and the last one may lack its end', () => {
  const long = 'ä'.repeat(200_000);
  const path = write('a.jsonl', `one\n${long}\n\nlast`);
  expect(Array.from(linesOf(path), textOf)).toEqual([
    { number: 1, text: 'one' },
    { number: 2, text: long },
    { number: 3, text: '' },
    { number: 4, text: 'last', isCut: true },
  ]);
});

test('a line too long to keep is passed over, the next is read', () => {
  const path = write('a.jsonl', `one\n${'x'.repeat(700_000)}\nlast\n`);
  expect(Array.from(linesOf(path, { mostLineBytes: 1_000 }), textOf)).toEqual([
    { number: 1, text: 'one' },
    { number: 2, text: undefined },
    { number: 3, text: 'last' },
  ]);
});

test('the files of a session are read in the order of their times, and a cut last line is told with its place', () => {
  const main = new SessionText('s').prompt('go').ask('toolu_1', { name: 'Agent' });
  // Between the second and the third row of the main file.
  const own = new SessionText('s-a1', { sessionId: 's', agentId: 'a1' }, Date.parse('2026-11-21T08:00:02.100Z'));
  own.row('user', { message: { role: 'user', content: 'look' }, timestamp: '2026-11-21T08:00:02.200Z' });
  own.ask('toolu_2', { fields: { timestamp: '2026-11-21T08:00:02.900Z' } });
  // After the third.
  own.say('found', { fields: { timestamp: '2026-11-21T08:00:03.500Z' } });
  main.result('toolu_1', 'found').say('done');
  const path = write('s.jsonl', `${main.text}{"type":"user","mess`);
  write('s/subagents/agent-a1.jsonl', own.text);
  write('s/subagents/agent-a1.meta.json', '{"agentType":"finder","toolUseId":"toolu_1","requestShape":"background"}');
  const seen: Observation[] = [];
  const skipped: string[] = [];
  let bytes = 0;
  const files = sessionFiles(path);
  const reader = new TranscriptReader({ observe: (observation) => void seen.push(observation) });
  for (const _ of readSession(files, reader, {
    skipped: ({ file, line, reason }) => void skipped.push(`${file}:${line}: ${reason}`),
    progress: (more) => void (bytes += more),
  }));
  expect(seen.map(({ type }) => type)).toEqual([
    ...['turn-start', 'session', 'answer', 'task-start', 'input', 'answer'],
    ...['tool-result', 'input', 'answer', 'task-end', 'answer', 'turn-result', 'query-end'],
  ]);
  expect(seen[3]).toMatchObject({ agentId: 'a1', agentName: 'finder', toolCallId: 'toolu_1', inBackground: true });
  expect(skipped).toEqual([`${path}:5: cut off in the middle`]);
  expect(bytes).toBe(files.bytes + files.subagents.reduce((sum, one) => sum + one.bytes, 0));
});

test('subagents of old versions stand beside their sessions, which their rows name', () => {
  write('agent-a1.jsonl', new SessionText('s', { agentId: 'a1' }).prompt('look').text);
  write('agent-a2.jsonl', new SessionText('t', { agentId: 'a2' }).prompt('look').text);
  write('agent-empty.jsonl', '');
  const found = subagentsBeside(folder);
  expect([...found].map(([session, files]) => [session, files.map(({ agentId }) => agentId)])).toEqual([
    ['s', ['a1']],
    ['t', ['a2']],
  ]);
});
