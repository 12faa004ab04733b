import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TracingStats } from '@spanprism/core';
import {
  answer,
  type CollectedSpan,
  type Collector,
  cleanEnvironment,
  makeProject,
  type Rule,
  startCollector,
  startMessagesApi,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Ended, installLane, NODES, runProgram } from './lane.ts';
import { link } from './packed.ts';
import { agent, usage } from './replies.ts';
import { root } from './run-example.ts';

const tarballs = inject('tarballs');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'spanprism-lanes-')));

const OTEL_LANES = ['otel-1', 'otel-2', 'otel-3', 'honeycomb'];

beforeAll(() => {
  for (const lane of ['plain', ...OTEL_LANES]) installLane(lane, folder, tarballs);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the plain lane has no OpenTelemetry, and every other one has one copy of its API', () => {
  const copies = (lane: string): readonly string[] =>
    globSync('**/@opentelemetry/api/package.json', { cwd: join(folder, lane, 'node_modules') });
  expect(copies('plain')).toEqual([]);
  expect(OTEL_LANES.map((lane) => copies(lane).length)).toEqual(OTEL_LANES.map(() => 1));
});

const rules: readonly Rule[] = [
  when.toolResult('toolu_recount', /still four/).reply(answer(text('Four lamps.'), { usage: usage(1500, 9) })),
  when
    .toolResult('toolu_stock', /4 left/)
    .reply(answer(agent('toolu_recount', 'Count again', false), { usage: usage(1300, 40) })),
  when.lastUserText('Count again').reply(answer(text('They are still four.'), { usage: usage(800, 7) })),
  when.lastUserText('How many lamps?').reply(
    answer(toolUse({ id: 'toolu_stock', name: 'mcp__shop__stock', input: { article: 'lamp' } }), {
      usage: usage(1200, 30),
    }),
  ),
];

/** A span as any tracing has it. */
interface Row {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

interface Report {
  readonly version: string;
  readonly answer: string;
  readonly tree: string;
  readonly traces: readonly string[];
  readonly otel: readonly Row[];
  readonly stats: TracingStats;
}

interface TracedRun extends Report {
  readonly ended: Pick<Ended, 'code' | 'signal' | 'stderr'>;
  readonly collected: readonly CollectedSpan[];
  /** What Honeycomb got, where the lane has its distribution. */
  readonly honeycomb: Pick<Collector, 'spans' | 'requests'>;
}

async function tracedRun(node: string, file: string): Promise<TracedRun> {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  await using collector = await startCollector();
  await using honeycomb = await startCollector();
  const extra = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    HONEYCOMB_API_ENDPOINT: honeycomb.url,
    HONEYCOMB_API_KEY: 'hcaik_0123456789',
    OTEL_SERVICE_NAME: 'shop',
  };
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
  const { stdout, ...ended } = await runProgram({ node, file: join(folder, file), cwd: project.cwd, env });
  api.assertAllMatched();
  expect(ended).toEqual({ code: 0, signal: null, stderr: '' });
  const report: Report = JSON.parse(stdout);
  // What the host's own SDK has exported: kept by an exporter in the program, or sent to Honeycomb.
  const otel = [...report.otel, ...honeycomb.spans()];
  return { ...report, ended, collected: collector.spans(), honeycomb, otel };
}

/** Names, indented by depth; siblings by name, because not every tracing tells its spans in the order of their starts. */
function namesOf(rows: readonly Row[], parent?: Row, depth = 0): readonly string[] {
  const ids = new Set(rows.map(({ spanId }) => spanId));
  const isHere = ({ parentSpanId }: Row): boolean =>
    parent === undefined ? parentSpanId === undefined || !ids.has(parentSpanId) : parentSpanId === parent.spanId;
  return rows
    .filter(isHere)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((row) => [`${'  '.repeat(depth)}${row.name}`, ...namesOf(rows, row, depth + 1)]);
}

const AGENT = [
  'invoke_agent claude',
  '  chat claude-sonnet-4-5',
  '  chat claude-sonnet-4-5',
  '  chat claude-sonnet-4-5',
  '  execute_tool Agent',
  '    invoke_agent general-purpose',
  '      chat claude-sonnet-4-5',
  '  execute_tool mcp__shop__stock',
];
const HOST = ['GET /ask', ...AGENT.map((line) => `  ${line}`), '      SELECT stock'];

const doors = { imported: 'traced-run.mjs', required: 'traced-run.cjs' };

describe.each<[string, readonly (keyof typeof NODES)[]]>([
  ['plain', ['20.19', '22.15', '24']],
  ['otel-1', ['20.19', '22.15', '24']],
  // Honeycomb's distribution 0.7.2: OpenTelemetry 1.22 with an API of before links could be added.
  ['honeycomb', ['20.19', '22.15', '24']],
  ['otel-2', ['20.19', '22.15', '24']],
  // Its SDK supports nothing older.
  ['otel-3', ['22.15', '24']],
])('in the lane %s', (lane, versions) => {
  test.each(versions)('on Node %s the packed packages trace the same run, imported and required', async (version) => {
    const runs = await Promise.all(Object.values(doors).map((file) => tracedRun(NODES[version], join(lane, file))));
    for (const run of runs) {
      expect(run.version).toMatch(new RegExp(`^v${version}\\.`));
      expect(run.answer).toBe('Four lamps.');
      // The loopback thread was found beside the packed code, and heard from the child.
      expect(run.stats.loopback?.received.logs).toBeGreaterThan(0);
      expect(run.stats).toMatchObject({ caught: 0, observations: { late: 0, duplicate: 0, unplaced: 0 } });
      await expect(run.tree).toMatchFileSnapshot('../lanes/traced-run.tree.txt');
      expect(namesOf(run.collected)).toEqual(AGENT);
      expect(new Set(run.collected.map(({ spanId }) => spanId)).size).toBe(AGENT.length);
      expect(namesOf(run.otel)).toEqual(lane === 'plain' ? [] : HOST);
      checkOneTrace(run);
      if (lane === 'honeycomb') checkHoneycomb(run);
    }
  });
});

/** The host's trace is that of every sink. */
function checkOneTrace({ traces, otel, collected }: TracedRun): void {
  const seen = new Set([...traces, ...[...otel, ...collected].map(({ traceId }) => traceId)]);
  expect(seen.size).toBe(1);
  if (otel.length === 0) return;
  const request = otel.find(({ name }) => name === 'GET /ask');
  const turn = collected.find(({ name }) => name === 'invoke_agent claude');
  expect(turn?.parentSpanId, 'parent of the turn over OTLP').toBe(request?.spanId);
}

/** What its distribution sends has its key and its service, and tools and the calls that asked for them know each other without links. */
function checkHoneycomb({ honeycomb }: TracedRun): void {
  const keys = honeycomb.requests.map(({ headers }) => headers['x-honeycomb-team']);
  expect(new Set(keys)).toEqual(new Set(['hcaik_0123456789']));
  const spans = honeycomb.spans();
  expect(new Set(spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['shop']));
  const named = spans.flatMap(({ attributes }) => attributes['claude.linked_span_ids'] ?? []).map(String);
  expect(named).toHaveLength(spans.filter(({ name }) => name.startsWith('execute_tool ')).length);
  expect(named.filter((id) => !spans.some(({ spanId }) => spanId === id))).toEqual([]);
}

test("the example for Honeycomb's distribution compiles and runs where that is installed", async () => {
  const lane = join(folder, 'honeycomb');
  link(lane, ['@types/node']);
  const file = join(lane, 'honeycomb-distribution.mts');
  cpSync(join(root, 'examples', 'honeycomb-distribution.ts'), file);
  const options = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  execFileSync('tsc', [...options, file], { cwd: lane, stdio: 'inherit' });
  await using project = await makeProject();
  await using api = await startMessagesApi({
    rules: [
      when.toolResult('toolu_ls').reply(text('Nothing much.')),
      when
        .lastUserText('What is in this folder?')
        .reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls' } })),
    ],
  });
  await using honeycomb = await startCollector();
  const extra = { HONEYCOMB_API_ENDPOINT: honeycomb.url, HONEYCOMB_API_KEY: 'hcaik_0123', OTEL_SERVICE_NAME: 'guide' };
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
  const ended = await runProgram({ node: NODES['24'], file, cwd: project.cwd, env });
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'Nothing much.\n', stderr: '' });
  expect(namesOf(honeycomb.spans())).toEqual([
    'GET /guide',
    '  invoke_agent guide',
    expect.stringMatching(/^ {4}chat claude-/),
    expect.stringMatching(/^ {4}chat claude-/),
    '    execute_tool Bash',
  ]);
  expect(honeycomb.requests.map(({ headers }) => headers['x-honeycomb-team'])).toContain('hcaik_0123');
});
