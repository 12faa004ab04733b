import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TracingStats } from '@spanprism/core';
import {
  answer,
  cleanEnvironment,
  makeProject,
  type Rule,
  type SentrySpanRow,
  startMessagesApi,
  startSentryEndpoint,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { installLane, NODES, runProgram } from './lane.ts';
import { agent, usage } from './replies.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-sentry-')));
const VERSIONS = { 'sentry-10': '10.78.0', 'sentry-11': '11.11.0' } as const;

beforeAll(() => {
  for (const lane of Object.keys(VERSIONS)) installLane(lane, folder, inject('tarballs'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stock = (id: string, article: string) => toolUse({ id, name: 'mcp__shop__stock', input: { article } });

const rules: readonly Rule[] = [
  when.toolResult('toolu_recount', /four/).reply(answer(text('Four lamps.'), { usage: usage(1500, 9) })),
  when
    .toolResult('toolu_lamp', /4 left/)
    .reply(answer(agent('toolu_recount', 'Count again', false), { usage: usage(1300, 40) })),
  when.toolResult('toolu_lamps').reply(answer(stock('toolu_lamp', 'lamp'), { usage: usage(1250, 20) })),
  when.lastUserText('Count again').reply(answer(text('They are four.'), { usage: usage(800, 7) })),
  when.lastUserText('How many lamps?').reply(answer(stock('toolu_lamps', 'lamps'), { usage: usage(1200, 30) })),
];

interface Report {
  readonly version: string;
  readonly answer: string;
  readonly stats: TracingStats;
}

/** Names, indented by depth, in the order of their starts. */
function treeOf(rows: readonly SentrySpanRow[], parent?: SentrySpanRow, depth = 0): readonly string[] {
  const children = rows.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  return children
    .toSorted((left, right) => left.startedAt - right.startedAt)
    .flatMap((row) => [`${'  '.repeat(depth)}${row.name}`, ...treeOf(rows, row, depth + 1)]);
}

const TREE = [
  'GET /ask',
  '  invoke_agent claude',
  '    chat claude-sonnet-4-5',
  '    execute_tool mcp__shop__stock',
  '      SELECT stock',
  '    chat claude-sonnet-4-5',
  '    execute_tool mcp__shop__stock',
  '      SELECT stock',
  '    chat claude-sonnet-4-5',
  '    execute_tool Agent',
  '      invoke_agent general-purpose',
  '        chat claude-sonnet-4-5',
  '    chat claude-sonnet-4-5',
];

describe.each(Object.entries(VERSIONS))('in the lane %s', (lane, version) => {
  describe.each(['static', 'stream'])('with %s spans', (traceLifecycle) => {
    test.each(['20.19', '22.15', '24'] as const)('on Node %s the packed packages trace a run', async (node) => {
      for (const file of ['traced-run.mjs', 'traced-run.cjs']) {
        await using project = await makeProject();
        await using api = await startMessagesApi({ rules });
        await using sentry = await startSentryEndpoint();
        const extra = { SENTRY_DSN: sentry.dsn, TRACE_LIFECYCLE: traceLifecycle };
        const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
        const program = { node: NODES[node], file: join(folder, lane, file), cwd: project.cwd, env };
        const { stdout, ...ended } = await runProgram(program);
        api.assertAllMatched();
        expect(ended).toEqual({ code: 0, signal: null, stderr: '' });
        const report = JSON.parse(stdout) as Report;
        expect(report).toMatchObject({ version, answer: 'Four lamps.', stats: { caught: 0 } });
        expect(report.stats.sinks['sentry']).toEqual({ delivered: 10, queued: 0, dropped: {} });
        const request = sentry.spans().find(({ name }) => name === 'GET /ask');
        const run = sentry.spans().filter(({ traceId }) => traceId === request?.traceId);
        expect(treeOf(run)).toEqual(TREE);
        const tokens = run.map(({ attributes }) => Number(attributes['gen_ai.usage.output_tokens'] ?? 0));
        expect(tokens.reduce((sum, count) => sum + count, 0)).toBe(30 + 20 + 40 + 7 + 9);
        const failed = run.find(({ attributes }) => attributes['gen_ai.tool.call.id'] === 'toolu_lamps');
        expect(failed?.attributes['error.type']).toBeTypeOf('string');
        expect(sentry.errors()).toMatchObject([{ contexts: { trace: { span_id: failed?.spanId } } }]);
      }
    });
  });
});
