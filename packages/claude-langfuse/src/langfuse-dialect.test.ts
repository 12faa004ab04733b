import type { CapturedSpan } from '@spanprism/core';
import { otlpTraceSink } from '@spanprism/core/otlp';
import { startCollector } from '@spanprism/testkit';
import {
  agent,
  at,
  custom,
  hook,
  llm,
  messageFaults,
  permission,
  SAMPLE_TRACES,
  spanId,
  spelled,
  tool,
} from '@spanprism/testkit/samples';
import { describe, expect, test } from 'vitest';
import { type FakeObservation, observations, priceOf, tokensOf } from './__fixtures__/fake-langfuse.ts';
import { langfuseDialect } from './langfuse-dialect.ts';
import { langfuseAttributes } from './trace-fields.ts';

const dialect = langfuseDialect({ isAlone: true });

test.each(Object.entries(SAMPLE_TRACES))('%s is spelled as reviewed', async (trace, spans) => {
  await expect(spelled(dialect, spans)).toMatchFileSnapshot(`./__fixtures__/${trace}.langfuse.json`);
});

/** What Langfuse has of these spans. */
async function shown(...spans: readonly CapturedSpan[]): Promise<readonly FakeObservation[]> {
  await using collector = await startCollector();
  const sink = otlpTraceSink({ name: 'test', url: `${collector.url}/v1/traces`, dialect });
  for (const span of spans) sink.spanEnd(span);
  await sink.close(5000);
  return observations(collector.spans());
}

async function one(span: CapturedSpan): Promise<FakeObservation> {
  const [observation] = await shown(span);
  if (observation === undefined) throw new Error('nothing arrived');
  return observation;
}

describe("by Langfuse's own formula", () => {
  // 5 that no cache knew, 128,955 read from it, 1,253 written to it: Anthropic counts 5 input tokens.
  const usage = { inputTokens: 130_213, outputTokens: 210, cacheReadTokens: 128_955, cacheWriteTokens: 1253 };
  const anthropic = 5 * 3e-6 + 128_955 * 0.3e-6 + 1253 * 3.75e-6 + 210 * 15e-6;

  test('cached input is counted once, in buckets that share no token', async () => {
    const call = await one(llm({ id: 2, ms: [0, 1], usage }));
    expect(tokensOf(call, 'input')).toBe(130_213);
    expect(tokensOf(call, 'output')).toBe(210);
    expect(call.usageDetails).toEqual({
      input: 5,
      output: 210,
      input_cached_tokens: 128_955,
      input_cache_creation: 1253,
    });
  });

  test("the price is Anthropic's where the CLI gives none, and the CLI's where it does", async () => {
    expect(priceOf(await one(llm({ id: 2, ms: [0, 1], usage })))).toBeCloseTo(anthropic, 12);
    expect(priceOf(await one(llm({ id: 2, ms: [0, 1], usage, costUsd: 0.05 })))).toBe(0.05);
  });

  test('writes that live an hour have their own price, and thinking that of the output', async () => {
    const detailed = { ...usage, cacheWrite5mTokens: 253, cacheWrite1hTokens: 1000, thinkingTokens: 100 };
    const call = await one(llm({ id: 2, ms: [0, 1], usage: detailed }));
    expect(tokensOf(call, 'input')).toBe(130_213);
    expect(priceOf(call)).toBeCloseTo(anthropic + 1000 * (6e-6 - 3.75e-6), 12);
    expect(call.metadata['gen_ai.usage.reasoning.output_tokens']).toBe(100);
  });

  test('a run with subagents is counted once, and its totals are metadata', async () => {
    const run = await shown(...(SAMPLE_TRACES['parallel-subagents'] ?? []));
    const sum = (what: 'input' | 'output'): number => run.reduce((all, each) => all + (tokensOf(each, what) ?? 0), 0);
    // Of its calls: 900, 300 and 310 in, 80, 20 and 4,096 out.
    expect([sum('input'), sum('output')]).toEqual([1510, 4196]);
    const turn = (await shown(...(SAMPLE_TRACES['text-and-tool'] ?? []))).find(({ type }) => type === 'AGENT');
    expect(turn).toMatchObject({
      usageDetails: {},
      costDetails: {},
      metadata: { 'claude.turn.input_tokens': 261_000 },
    });
  });

  test('figures that disagree take nothing from other calls', async () => {
    const { usageDetails } = await one(llm({ id: 2, ms: [0, 1], usage: { inputTokens: 10, cacheReadTokens: 12 } }));
    expect(usageDetails).toEqual({ input: 0, input_cached_tokens: 12 });
  });
});

describe('a generation', () => {
  test('has model, parameters, and the time of its first token', async () => {
    const span = llm({
      id: 2,
      ms: [0, 100],
      requestModel: 'claude-sonnet-4-5',
      responseModel: 'claude-sonnet-4-5-20250929',
      firstTokenAt: at(70.25),
    });
    expect(await one(span)).toMatchObject({
      type: 'GENERATION',
      model: 'claude-sonnet-4-5-20250929',
      modelParameters: { model: 'claude-sonnet-4-5', provider: 'anthropic', stream: 'true' },
      completionStartTime: '2026-11-21T09:00:00.070250000Z',
    });
  });

  test('shows instructions and tools in its input, and messages as the conventions have them', async () => {
    const [call] = SAMPLE_TRACES['text-and-tool'] ?? [];
    const { input, output } = await one(call as CapturedSpan);
    const { messages, tools } = input as { messages: { role: string; parts: unknown[] }[]; tools: { name: string }[] };
    expect(messages[0]).toEqual({
      role: 'system',
      parts: [
        { type: 'text', content: 'You are a careful engineer.' },
        { type: 'text', content: 'Working folder: /srv/app' },
      ],
    });
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(tools.map(({ name }) => name)).toEqual(['Bash', 'mcp__weather__get_weather']);
    expect([...messages, ...(output as unknown[])].flatMap(messageFaults)).toEqual([]);
  });
});

describe('what a span wants of whoever looks', () => {
  const base = { id: 2, ms: [0, 1] } as const;
  test.each([
    ['a call', llm(base), 'DEFAULT', undefined],
    ['an answer that was cut', llm({ ...base, stopReason: 'max_tokens' }), 'WARNING', 'max_tokens'],
    ['a refusal', llm({ ...base, stopReason: 'refusal' }), 'WARNING', 'refusal'],
    ['a cancelled call', llm({ ...base, status: 'cancelled' }), 'WARNING', 'cancelled'],
    [
      'a failed call',
      llm({ ...base, status: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
      'ERROR',
      'overloaded_error: Overloaded',
    ],
    [
      'a denied tool',
      tool({
        ...base,
        status: 'error',
        error: { type: 'permission_denied', message: 'no' },
        denied: { decidedBy: 'rule' },
      }),
      'WARNING',
      'denied by rule',
    ],
    ['a turn that ran out of turns', agent({ ...base, outcome: 'max_turns' }), 'WARNING', 'max_turns'],
    ['an interrupted turn', agent({ ...base, status: 'cancelled', outcome: 'interrupted' }), 'WARNING', 'interrupted'],
    ['a refused permission', permission({ ...base, decision: 'deny', decidedBy: 'user' }), 'WARNING', 'denied by user'],
    ['a hook', hook(base), 'DEBUG', undefined],
    ['a hook that blocked', hook({ ...base, blocked: true }), 'WARNING', 'blocked'],
    ['a step', custom(base), 'DEFAULT', undefined],
  ])('%s', async (_, span, level, statusMessage) => {
    expect(await one(span)).toMatchObject({ level, statusMessage });
  });
});

test('what hangs below a span of another process is a root of its own, unless a processor says what the roots are', () => {
  const remote = agent({ id: 1, parent: 9, parentIsRemote: true, ms: [0, 9] });
  const root = 'langfuse.internal.is_app_root';
  expect(dialect.attributes(remote)[root]).toBe(true);
  expect(langfuseDialect().attributes(remote)).not.toHaveProperty([root]);
  expect(dialect.attributes(agent({ id: 1, ms: [0, 9] }))).not.toHaveProperty([root]);
});

test('every kind has a type of Langfuse and a name that says what it is', async () => {
  const spans = [
    agent({ id: 1, ms: [0, 9], agentName: 'guide' }),
    llm({ id: 2, ms: [0, 1] }),
    tool({ id: 3, ms: [0, 1] }),
    permission({ id: 4, ms: [0, 1] }),
    hook({ id: 5, ms: [0, 1] }),
    custom({ id: 6, ms: [0, 1], name: 'review-pr' }),
  ];
  expect((await shown(...spans)).map(({ type, name }) => `${type} ${name}`)).toEqual([
    'AGENT guide',
    'GENERATION claude-sonnet-4-5',
    'TOOL Bash',
    'SPAN permission Bash',
    'SPAN hook PreToolUse:Bash',
    'CHAIN review-pr',
  ]);
});

describe('the fields of a trace', () => {
  const attributes = langfuseAttributes({
    userId: 'ada',
    sessionId: 'chat-7',
    tags: ['a', 'b,c'],
    traceName: 'support',
    version: '1.2',
    public: true,
    metadata: { plan: 'pro', seats: 3 },
    prompt: { name: 'answer', version: 4 },
  });

  test('are on every observation, and the link to a prompt on calls of models alone', async () => {
    const [turn, call] = await shown(agent({ id: 1, ms: [0, 9], attributes }), llm({ id: 2, ms: [0, 1], attributes }));
    const fields = {
      userId: 'ada',
      sessionId: 'chat-7',
      tags: ['a', 'b,c'],
      traceName: 'support',
      version: '1.2',
      isPublic: true,
    };
    expect(turn).toMatchObject({ ...fields, metadata: { plan: 'pro', seats: 3 }, promptName: undefined });
    expect(call).toMatchObject({ ...fields, promptName: 'answer', promptVersion: 4 });
  });

  test('a prompt that did not come from Langfuse is not linked', async () => {
    const prompt = { name: 'answer', version: 0, isFallback: true };
    const call = await one(llm({ id: 2, ms: [0, 1], attributes: langfuseAttributes({ prompt }) }));
    expect(call).toMatchObject({ promptName: undefined, promptVersion: undefined });
  });

  test("the session is Claude's where none is named, and Claude's is kept where one is", async () => {
    const sessionId = '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10';
    expect(await one(agent({ id: 1, ms: [0, 9] }))).toMatchObject({ sessionId });
    const joined = langfuseDialect().attributes(agent({ id: 1, ms: [0, 9] }));
    expect(joined).not.toHaveProperty(['session.id']);
    expect(joined).toMatchObject({ 'gen_ai.conversation.id': sessionId });
  });

  test('attributes of the user are metadata, whatever they are called', async () => {
    const mine = { 'langfuse.observation.type': 'event', 'claude.cancelled': true, team: 'a' };
    const { type, metadata } = await one(llm({ id: 2, ms: [0, 1], attributes: mine }));
    expect(type).toBe('GENERATION');
    expect(metadata).toMatchObject({ 'langfuse.observation.type': 'event', team: 'a' });
    expect(metadata).toMatchObject({ 'claude.attribute.claude.cancelled': true });
    expect(metadata).not.toHaveProperty(['claude.cancelled']);
  });
});

test('events and the call that asked for a tool are in the metadata, as Langfuse reads neither events nor links', async () => {
  const event = { name: 'retry', at: at(500), attributes: { attempt: 1 } } as const;
  const call = await one(llm({ id: 2, ms: [0, 1000], events: [event] }));
  expect(call.metadata['claude.events']).toEqual([
    { at: '2026-11-21T09:00:00.500Z', name: 'claude.retry', attributes: { 'claude.retry.attempt': 1 } },
  ]);
  const { metadata } = await one(tool({ id: 3, ms: [0, 1], requestedByLlmSpanId: spanId(2) }));
  expect(metadata['claude.requested_by']).toBe(spanId(2));
});

test('a span that is too large for Langfuse is cut, and what is JSON stays JSON', async () => {
  const output = [{ role: 'assistant' as const, content: [{ type: 'text' as const, text: 'x'.repeat(12_000_000) }] }];
  const call = await one(llm({ id: 2, ms: [0, 1], output }));
  expect(call.output).toMatchObject([{ role: 'assistant' }]);
});
