import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { memorySink, type Span } from '@spanprism/core';
import { createSessions, type OtlpRequest, type Session } from '@spanprism/core/sessions';
import { listRecordings, openRecording, type Recording } from '@spanprism/testkit';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readTree } from '../../../testkit/src/replay/expectation.ts';
import { sessionsOf } from '../../../testkit/src/replay/replay-transcript.ts';
import { scriptsOf } from '../../../testkit/src/replay/script.ts';
import { treeText } from '../../../testkit/src/replay/tree-text.ts';
import { TerminalTurns } from './terminal-turns.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanprism-terminal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In what it is farther from the reviewed tree. */
const DIFFERENCES: Readonly<Record<string, { readonly lacks: readonly string[]; readonly has: readonly string[] }>> = {
  // The file has the figures of the call that broke the budget, which telemetry lacks.
  'max-budget': { lacks: [], has: ['llm turn req_maxbudget_002 claude-sonnet-4-5 in=7300 out=300 ok'] },
};

/** The files of a recording where the CLI would have written them. */
function layOut(recording: Recording): void {
  const project = join(folder, 'projects', 'p');
  mkdirSync(project, { recursive: true });
  for (const { path, subagents } of sessionsOf(recording)) {
    const id = sessionIdOf(recording, path);
    copyFileSync(path, join(project, `${id}.jsonl`));
    const own = join(project, id, 'subagents');
    mkdirSync(own, { recursive: true });
    for (const { path: from, agentId } of subagents) {
      copyFileSync(from, join(own, `agent-${agentId}.jsonl`));
      copyFileSync(from.replace(/\.jsonl$/, '.meta.json'), join(own, `agent-${agentId}.meta.json`));
    }
  }
}

function sessionIdOf({ transcripts }: Recording, path: string): string {
  const rows = transcripts.find((one) => one.path === path)?.rows ?? [];
  return String(rows.map((row) => row['sessionId']).find((id) => typeof id === 'string') ?? basename(path));
}

/** What sinks are given of telemetry, alone or with the files. */
function traced(requests: readonly OtlpRequest[], withFiles: boolean): readonly Span[] {
  const sink = memorySink();
  const sessions = createSessions({ sinks: [sink], capture: 'full', agentName: 'main', diag: () => undefined });
  const session = sessions.open({ sources: ['cli'] });
  const troubles: unknown[] = [];
  const terminal = new TerminalTurns({
    session,
    env: { CLAUDE_CONFIG_DIR: folder },
    since: 0n,
    onTrouble: (error) => void troubles.push(error),
  });
  for (const request of requests)
    if (withFiles) terminal.receive(request);
    else session.receive(request);
  terminal.end();
  session.end();
  expect(troubles).toEqual([]);
  return sink.spans;
}

const recordings = listRecordings().flatMap((name) => {
  const recording = openRecording(name);
  const [script, ...more] = scriptsOf(recording, 'cli');
  if (script === undefined || more.length > 0 || recording.transcripts.length === 0) return [];
  const requests = script.steps.flatMap(({ what }) => (what.type === 'telemetry' ? [what.request] : []));
  return requests.length === 0 ? [] : [{ name, recording, requests }];
});

test('telemetry waits for rows that are being written, and goes on in its order', () => {
  vi.useFakeTimers();
  const told: string[] = [];
  const session = {
    receive: ({ signal }: OtlpRequest) => void told.push(signal),
    observe: ({ type }: { readonly type: string }) => void told.push(type),
    turnOf: () => 0,
  } as unknown as Session;
  const attributes = { 'session.id': 'the-session', 'event.name': 'user_prompt', 'message.uuid': 'u' };
  const prompts = {
    signal: 'logs',
    groups: [{ resource: {}, scope: { name: '' }, records: [{ at: 1n, attributes }] }],
  };
  const terminal = new TerminalTurns({
    session,
    env: { CLAUDE_CONFIG_DIR: folder },
    since: 0n,
    onTrouble: () => undefined,
  });
  terminal.receive(prompts as unknown as OtlpRequest);
  terminal.receive({ signal: 'traces', groups: [] });
  vi.advanceTimersByTime(200);
  expect(told).toEqual([]);
  mkdirSync(join(folder, 'projects', 'p'), { recursive: true });
  const message = { role: 'user', content: 'hi' };
  const row = { type: 'user', uuid: 'u', sessionId: 'the-session', timestamp: '2026-01-01T00:00:00.000Z', message };
  writeFileSync(join(folder, 'projects', 'p', 'the-session.jsonl'), `${JSON.stringify(row)}\n`);
  vi.advanceTimersByTime(100);
  expect(told).toEqual(['logs', 'turn-start', 'traces']);
  vi.useRealTimers();
});

describe('telemetry with the files of a session at a terminal', () => {
  test('is what most recordings have', () => expect(recordings.length).toBeGreaterThan(50));

  test.each(recordings)('$name: is nearer to the reviewed tree than telemetry alone, and nowhere farther', (one) => {
    layOut(one.recording);
    const reviewed = textLines(readTree(one.name));
    const [alone, both] = [traced(one.requests, false), traced(one.requests, true)].map((spans) => linesOf(spans));
    const worse = {
      lacks: without(without(reviewed, both), without(reviewed, alone)),
      has: without(without(both, reviewed), without(alone, reviewed)),
    };
    expect(worse).toEqual(DIFFERENCES[one.name] ?? { lacks: [], has: [] });
  });

  test('has the content of nearly every call', () => {
    const seen = recordings.flatMap(({ recording, requests }) => {
      rmSync(folder, { recursive: true, force: true });
      layOut(recording);
      return traced(requests, true).flatMap((span) =>
        span.kind === 'llm' && span.status === 'ok' ? [span.seenBy.includes('transcript')] : [],
      );
    });
    expect(seen.filter(Boolean).length / seen.length).toBeGreaterThan(0.9);
  });
});

function linesOf(spans: readonly Span[]): readonly string[] {
  return textLines(treeText(spans));
}

function textLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function without(lines: readonly string[] = [], others: readonly string[] = []): readonly string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
