import { expect, test } from 'vitest';
import { agent, at, hook, llm, tool } from '@spanprism/testkit/samples';
import { genaiMeasurements } from './genai-metrics.ts';

const measured = (...of: Parameters<typeof genaiMeasurements>) =>
  genaiMeasurements(...of).map(({ instrument, value, attributes }) => [instrument.name, value, attributes]);

const call = llm({
  id: 1,
  ms: [0, 2500],
  firstTokenAt: at(500),
  responseModel: 'claude-sonnet-4-5-20250929',
  usage: {
    inputTokens: 130_213,
    outputTokens: 210,
    cacheReadTokens: 128_955,
    cacheWriteTokens: 1253,
    thinkingTokens: 64,
  },
});

const facts = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'anthropic',
  'gen_ai.request.model': 'claude-sonnet-4-5',
  'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
};

test('a call is measured as the conventions of v1.41 say', () => {
  expect(measured(call, 'v1.41')).toEqual([
    ['gen_ai.client.token.usage', 130_213, { ...facts, 'gen_ai.token.type': 'input' }],
    ['gen_ai.client.token.usage', 210, { ...facts, 'gen_ai.token.type': 'output' }],
    ['gen_ai.client.operation.duration', 2.5, facts],
    ['gen_ai.client.operation.time_to_first_chunk', 0.5, facts],
  ]);
});

test('a call is measured as the newest conventions say', () => {
  const modal = { ...facts, 'gen_ai.token.modality': 'unknown' };
  expect(measured(call, 'latest')).toEqual([
    ['gen_ai.client.inference.duration', 2.5, facts],
    ['gen_ai.client.inference.time_to_first_chunk', 0.5, facts],
    ['gen_ai.client.inference.operation.input_tokens', 130_213, facts],
    ['gen_ai.client.inference.operation.output_tokens', 210, facts],
    ['gen_ai.client.inference.usage.input_tokens', 130_213, modal],
    ['gen_ai.client.inference.usage.output_tokens', 210, modal],
    ['gen_ai.client.inference.usage.cache_read.input_tokens', 128_955, modal],
    ['gen_ai.client.inference.usage.cache_write.input_tokens', 1253, modal],
    ['gen_ai.client.inference.usage.reasoning.output_tokens', 64, modal],
  ]);
});

test('a failed call has a length and an error type, and no tokens that nobody knows', () => {
  const failed = llm({ id: 1, ms: [0, 100], status: 'error', error: { type: '529', message: '' } });
  expect(
    measured(failed, 'v1.41').map(([name, value, attributes]) => [name, value, Object(attributes)['error.type']]),
  ).toEqual([['gen_ai.client.operation.duration', 0.1, '529']]);
});

test('agents and tools have measures of their own in the newest conventions only', () => {
  const turn = agent({ id: 1, ms: [0, 4000], llmCalls: 3, toolCalls: 2 });
  const step = tool({ id: 2, ms: [0, 250] });
  expect([
    ...measured(turn, 'v1.41'),
    ...measured(step, 'v1.41'),
    ...measured(hook({ id: 3, ms: [0, 1] }), 'latest'),
  ]).toEqual([]);
  expect([...measured(turn, 'latest'), ...measured(step, 'latest')].map(([name, value]) => [name, value])).toEqual([
    ['gen_ai.invoke_agent.duration', 4],
    ['gen_ai.invoke_agent.inference_calls', 3],
    ['gen_ai.invoke_agent.tool_calls', 2],
    ['gen_ai.execute_tool.duration', 0.25],
  ]);
});

test('the buckets are those of the conventions', () => {
  const bounds = new Map(genaiMeasurements(call, 'v1.41').map(({ instrument }) => [instrument.name, instrument]));
  expect(bounds.get('gen_ai.client.token.usage')).toMatchObject({
    unit: '{token}',
    bounds: [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
  });
  expect(bounds.get('gen_ai.client.operation.duration')).toMatchObject({
    unit: 's',
    bounds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  });
});

test('calls to different models are never taken for each other, however many there are', () => {
  const models = Array.from({ length: 40 }, (_, index) => `model-${index % 20}`);
  const calls = models.map((requestModel, id) => llm({ id, ms: [0, 1], requestModel }));
  const durations = calls.flatMap((span) => genaiMeasurements(span, 'v1.41'));
  expect(durations.map(({ attributes }) => attributes['gen_ai.request.model'])).toEqual(models);
  expect(durations.flatMap(({ attributes }) => Object.keys(attributes))).not.toContain('gen_ai.response.model');
});
