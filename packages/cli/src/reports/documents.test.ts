import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { beforeAll, expect, test } from 'vitest';
import { idOf } from './__fixtures__/drafts.ts';
import { jsonDocument, jsonPieces } from './document.ts';
import { writePieces } from './report.ts';
import { writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { FILL_LIMIT_MS, storeFolder } from './__fixtures__/store-folder.ts';
import { TOLD_RUNS } from './__fixtures__/told-runs.ts';

const store = join(await storeFolder(), 'spans.db');

beforeAll(() => writeSpans(store, { spans: TOLD_RUNS }), FILL_LIMIT_MS);

async function documentOf(
  ...args: string[]
): Promise<{ exitCode: number; stderr: string; value: Record<string, unknown> }> {
  const { exitCode, stdout, stderr } = await runReport([...args, '--json'], { store });
  return { exitCode, stderr, value: JSON.parse(stdout) as Record<string, unknown> };
}

const REPAIR = {
  id: 'session-1',
  startedAt: '2026-11-21T08:00:00.000Z',
  endedAt: '2026-11-21T08:00:14.200Z',
  durationMs: 14_200,
  failed: false,
  outcome: 'completed',
  agentName: 'claude',
  project: 'greeting',
  user: 'ada',
  branch: 'main',
  tags: ['nightly', 'ci'],
  models: ['claude-sonnet-4-5', 'claude-haiku-4-5'],
  turns: 1,
  spans: 9,
  llmCalls: 4,
  unpricedCalls: 0,
  toolCalls: 3,
  errors: 3,
  // 5,500 + 5,650 + 2,900 + 5,750 tokens; 3 × 4,000 of them from the cache.
  usage: { inputTokens: 19_800, outputTokens: 310, cacheReadTokens: 12_000, cacheWriteTokens: 0 },
  costUsd: 0.0211,
  costNanoUsd: 21_100_000,
  unattributedUsd: 0,
  unattributedNanoUsd: 0,
};

test('runs: each with everything that is known of it, and what they cost together', async () => {
  expect(await documentOf('runs', '--user', 'ada')).toEqual({
    exitCode: 0,
    stderr: '',
    value: { runs: [REPAIR], total: { runs: 1, costUsd: 0.0211, costNanoUsd: 21_100_000 }, hasMore: false },
  });
});

test('runs: what is not known is null, and whether there is more is said', async () => {
  const { value } = await documentOf('runs', '--limit', '1');
  expect(value).toMatchObject({
    runs: [
      {
        id: 'session-2',
        failed: true,
        outcome: 'api_error',
        branch: null,
        project: '挨拶',
        tags: [],
        unpricedCalls: 1,
      },
    ],
    hasMore: true,
  });
  expect(Object.keys((value['runs'] as object[])[0] ?? {})).toEqual(Object.keys(REPAIR));
});

test('failures: what failed, how often, and the last of each', async () => {
  const { exitCode, value } = await documentOf('failures', '--user', 'ada');
  expect(exitCode).toBe(1);
  const group = { count: 1, runs: 1 };
  const seen = (at: string) => ({ firstSeenAt: at, lastSeenAt: at });
  expect(value).toEqual({
    failures: [
      {
        kind: 'outcome',
        name: 'general-purpose',
        cause: 'max_turns',
        ...group,
        ...seen('2026-11-21T08:00:12.890Z'),
        latest: {
          runId: 'session-1',
          spanId: idOf('sub'),
          at: '2026-11-21T08:00:12.890Z',
          input: null,
          message: 'Reached maximum number of turns (1)',
        },
      },
      {
        kind: 'tool',
        name: 'Edit',
        cause: 'denied',
        ...group,
        ...seen('2026-11-21T08:00:09.900Z'),
        latest: {
          runId: 'session-1',
          spanId: idOf('edit'),
          at: '2026-11-21T08:00:09.900Z',
          input: { file_path: '/home/ada/greeting/README.md', old_string: 'Hello,', new_string: 'Hello' },
          message: 'Only files below src may be changed',
        },
      },
      {
        kind: 'tool',
        name: 'Bash',
        cause: 'ShellError',
        ...group,
        ...seen('2026-11-21T08:00:05.480Z'),
        latest: {
          runId: 'session-1',
          spanId: idOf('bash'),
          at: '2026-11-21T08:00:05.480Z',
          input: { command: 'npm test', description: 'Run the tests', timeout: 60_000 },
          message: expect.stringContaining('1 of 12 failed'),
        },
      },
    ],
    total: { groups: 3, failures: 3 },
    hasMore: false,
  });
});

test('show: the run, every span with its times and cost, and what led to each failed tool', async () => {
  const { value } = await documentOf('show', 'session-1');
  expect(value['run']).toEqual(REPAIR);
  const spans = value['spans'] as readonly Record<string, unknown>[];
  expect(spans).toHaveLength(9);
  expect(spans.find(({ spanId }) => spanId === idOf('call-3'))).toMatchObject({
    kind: 'llm',
    parentSpanId: idOf('sub'),
    startedAt: '2026-11-21T08:00:07.100Z',
    endedAt: '2026-11-21T08:00:09.300Z',
    costUsd: 0.0004,
    costNanoUsd: 400_000,
    events: [{ name: 'retry', at: '1970-01-01T00:00:00.000Z' }],
  });
  // The call after it was the first to carry its result.
  expect(spans.find(({ spanId }) => spanId === idOf('bash'))).toMatchObject({
    carriedUsd: 0.0068,
    carriedNanoUsd: 6_800_000,
  });
  expect(value['failedTools']).toEqual([
    {
      spanId: idOf('bash'),
      llmSpanId: idOf('call-1'),
      thinking: 'I do not know yet which tests fail.\nThe quickest way to find out is to run them.',
      text: 'Let me run the tests first.',
    },
    // Without a link: the last call of the same agent before it.
    { spanId: idOf('edit'), llmSpanId: idOf('call-3'), thinking: '', text: '' },
  ]);
});

test('cost: rows, others and the rest, of one shape, and the total', async () => {
  const { value } = await documentOf('cost', '--by', 'tool', '--limit', '1');
  const row = { calls: 1, errors: 0, usage: null };
  expect(value).toEqual({
    by: 'tool',
    rows: [
      { kind: 'row', name: 'Agent', rows: 1, ...row, costUsd: 0.0072, costNanoUsd: 7_200_000 },
      {
        kind: 'others',
        name: '2 others',
        rows: 2,
        calls: 2,
        errors: 2,
        usage: null,
        costUsd: 0.0068,
        costNanoUsd: 6_800_000,
      },
      {
        kind: 'unattributed',
        name: 'unattributed',
        rows: 1,
        ...row,
        calls: 0,
        costUsd: 0.0071,
        costNanoUsd: 7_100_000,
      },
    ],
    total: {
      runs: 2,
      calls: 5,
      unpricedCalls: 1,
      usage: REPAIR.usage,
      costUsd: 0.0211,
      costNanoUsd: 21_100_000,
    },
  });
});

test.each([
  ['runs', ['runs', '--user', 'ada']],
  ['failures', ['failures']],
  ['by', ['cost', '--by', 'tool', '--limit', '1']],
])('the documentation shows the document that has %s as it is', async (field, args) => {
  const page = await readFile(new URL('../../../../docs/reports.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']): object => JSON.parse(json));
  const { value } = await documentOf(...args);
  expect(examples.filter((example) => field in example).map(shapeOf)).toEqual([shapeOf(value)]);
});

/** Names of fields, in their order; of a list its first member. What a tool was given has any shape. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return 'value';
  return Object.entries(value).map(([name, field]) => [
    name,
    name === 'input' || name === 'tags' ? 'any' : shapeOf(field),
  ]);
}

test('a document made piece by piece is that which would be made at once', () => {
  const fields = {
    run: { id: 'a\nb', nested: [1, { two: 'é\u202e' }] },
    empty: [],
    list: [{ a: [] }, 'text', null],
    none: null,
  };
  function* listed(): Generator<unknown> {
    yield* fields.list;
  }
  expect([...jsonPieces({ ...fields, list: listed() })].join('')).toBe(jsonDocument(fields));
});

test('show: whoever reads slowly is waited for, and gets everything', async () => {
  const { stdout: expected } = await runReport(['show', 'session-1', '--json'], { store });
  const read: string[] = [];
  let waiting = 0;
  const slow = new Writable({
    highWaterMark: 1,
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      waiting += 1;
      expect(waiting).toBe(1);
      read.push(chunk);
      setImmediate(() => {
        waiting -= 1;
        done();
      });
    },
  });
  await writePieces({ stdout: slow }, expected.repeat(40).split(/(?<=\n)/));
  slow.end();
  await once(slow, 'finish');
  expect(read.length).toBeGreaterThan(2);
  expect(read.join('')).toBe(expected.repeat(40));
});
