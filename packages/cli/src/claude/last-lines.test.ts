import type { CapturedSpan } from '@spanprism/core';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { summaryOf } from './last-lines.ts';
import { TotalsSink } from './run-totals.ts';

const SPANS = [
  llm({
    id: 2,
    parent: 1,
    ms: [0, 50],
    usage: { inputTokens: 11_000, cacheReadTokens: 8_000, outputTokens: 84 },
    costUsd: 0.0159,
  }),
  tool({ id: 3, parent: 1, ms: [50, 60] }),
  agent({ id: 1, ms: [0, 100] }),
];

function lineOf(...sessions: readonly string[]): string {
  const sink = new TotalsSink();
  for (const sessionId of sessions) for (const span of SPANS) sink.spanEnd({ ...span, sessionId } as CapturedSpan);
  const chosen = { sinks: [], places: ['/home/ann/spans.db'], problems: [], storePath: '/home/ann/spans.db' };
  return summaryOf({ totals: sink.totals, chosen, received: 1 });
}

test('the line at the end says which run it was, what it took and where it went', () => {
  expect(lineOf('6f0c1b2a-0001')).toBe(
    'run 6f0c1b2a-0001 · 11,000 in (8,000 cached) → 84 out · $0.0159 · 1 tool · to /home/ann/spans.db; spanprism show 6f0c1b2a',
  );
});

test('of a sitting with several sessions, it names them all: the sums are of all', () => {
  expect(lineOf('6f0c1b2a-0001', '0de1ef2b-0002')).toBe(
    'runs 6f0c1b2a-0001, 0de1ef2b-0002 · 22,000 in (16,000 cached) → 168 out · $0.0318 · 2 tools · to /home/ann/spans.db; spanprism runs',
  );
});
