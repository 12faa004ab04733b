import { text, toolUse, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import {
  clientBaseUrl,
  type FakeObservation,
  ingested,
  observations,
  PUBLIC_KEY,
  SECRET_KEY,
  tokensOf,
} from '../../packages/claude-langfuse/src/__fixtures__/fake-langfuse.ts';
import { runAgainst } from './run-example.ts';

const KEYS = { LANGFUSE_PUBLIC_KEY: PUBLIC_KEY, LANGFUSE_SECRET_KEY: SECRET_KEY };
const AUTHORIZATION = `Basic ${btoa(`${PUBLIC_KEY}:${SECRET_KEY}`)}`;
const RULES = [
  when.toolResult('toolu_ls', /langfuse-client\.ts/).reply(text('Programs and a demo.')),
  when.lastUserText('Look around').reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls' } })),
];
const OK = { code: 0, stdout: 'Programs and a demo.\n', stderr: '' };

/** In the order of their starts, indented below their parents. */
function drawn(run: readonly FakeObservation[]): readonly string[] {
  const ordered = run.toSorted((left, right) => Number(left.startedAt - right.startedAt));
  const root = ordered.find(({ parentId }) => parentId === undefined);
  return ordered.map(({ type, name, parentId }) => `${parentId === root?.id ? '  ' : ''}${type} ${name}`);
}

const inputOf = (run: readonly FakeObservation[]): number =>
  run.reduce((sum, one) => sum + (tokensOf(one, 'input') ?? 0), 0);

test('the Langfuse callback example shows agent, generations with cost, and tool, in the session that was named', async () => {
  const { ended, spans, requests } = await runAgainst({
    rules: RULES,
    file: 'langfuse-callback.ts',
    words: ['Look around'],
    env: (url) => ({ ...KEYS, LANGFUSE_BASE_URL: url }),
  });
  expect(ended).toEqual(OK);
  for (const { path, headers } of requests) {
    expect(path).toBe('/api/public/otel/v1/traces');
    expect(headers).toMatchObject({ authorization: AUTHORIZATION, 'x-langfuse-ingestion-version': '4' });
  }
  const run = observations(spans);
  expect(drawn(run)).toEqual([
    'AGENT guide',
    expect.stringMatching(/^ {2}GENERATION claude-/),
    '  TOOL Bash',
    expect.stringMatching(/^ {2}GENERATION claude-/),
  ]);
  const fields = { userId: 'ada', sessionId: 'chat-7', tags: ['example'], traceName: 'guide' };
  for (const one of run) expect(one).toMatchObject({ ...fields, metadata: { plan: 'pro' } });
  const generations = run.filter(({ type }) => type === 'GENERATION');
  for (const { model, costDetails, completionStartTime, usageDetails } of generations) {
    expect(model).toMatch(/^claude-/);
    expect(costDetails['total']).toBeGreaterThan(0);
    expect(usageDetails['output']).toBeGreaterThan(0);
    expect(Date.parse(completionStartTime ?? '')).toBeGreaterThan(0);
  }
  expect(inputOf(run)).toBe(inputOf(generations));
  const tool = run.find(({ type }) => type === 'TOOL');
  expect(tool).toMatchObject({ input: { command: 'ls' }, output: undefined });
});

test('the Langfuse client example sends its run through the client that the program has, and scores its trace', async () => {
  const { ended, requests } = await runAgainst({
    rules: RULES,
    file: 'langfuse-client.ts',
    words: ['Look around'],
    env: (url) => ({ ...KEYS, LANGFUSE_BASEURL: clientBaseUrl({ url }) }),
  });
  expect(ended).toEqual(OK);
  expect(requests.map(({ headers }) => headers['authorization'])).toEqual(requests.map(() => AUTHORIZATION));
  const batches = requests.flatMap(({ decoded }) => (decoded === undefined ? [] : [decoded]));
  const { traces, observations: run } = ingested(batches);
  expect(traces).toMatchObject([{ name: 'guide', userId: 'ada', sessionId: 'chat-7', tags: ['example'] }]);
  expect(drawn(run)).toEqual([
    'SPAN guide',
    expect.stringMatching(/^ {2}GENERATION claude-/),
    '  SPAN Bash',
    expect.stringMatching(/^ {2}GENERATION claude-/),
  ]);
  const scores = batches.flatMap(({ batch }) => batch as readonly { type: string; body: object }[]);
  expect(scores.filter(({ type }) => type === 'score-create').map(({ body }) => body)).toMatchObject([
    { traceId: traces[0]?.['id'], name: 'helpful', value: 1 },
  ]);
});
