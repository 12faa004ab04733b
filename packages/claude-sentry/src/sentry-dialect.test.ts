import type { CapturedSpan } from '@spanprism/core';
import { agent, llm, messageFaults, SAMPLE_TRACES, spelled, tool } from '@spanprism/testkit/samples';
import { describe, expect, test } from 'vitest';
import { sentryDialect } from './sentry-dialect.ts';

const dialect = sentryDialect();

describe('golden files', () => {
  test.each(Object.entries(SAMPLE_TRACES))('%s is spelled as reviewed', async (trace, spans) => {
    await expect(spelled(dialect, spans)).toMatchFileSnapshot(`__fixtures__/${trace}.sentry.json`);
  });
});

/** What Sentry's conventions (0.33) call deprecated. */
const DEPRECATED =
  /^gen_ai\.(system|prompt|request\.messages|request\.available_tools|response\.(text|tool_calls|time_to_first_token|finish_reason)|tool\.(input|output|message)|usage\.(prompt_tokens|completion_tokens|input_tokens\.cached|input_tokens\.cache_write|output_tokens\.reasoning))$/;

test.each(Object.entries(SAMPLE_TRACES))(
  'nothing in %s is deprecated, and each span is in its conversation',
  (_, spans) => {
    for (const span of spans) {
      const attributes = dialect.attributes(span);
      expect(Object.keys(attributes).filter((key) => DEPRECATED.test(key))).toEqual([]);
      expect(attributes).toMatchObject({
        'gen_ai.conversation.id': '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10',
        'sentry.origin': expect.stringMatching(/^auto(\.[A-Za-z0-9_]+)+$/),
      });
    }
  },
);

/** Without these Sentry does not show a span on its AI dashboards. */
const REQUIRED = {
  agent: ['gen_ai.operation.name'],
  llm: ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.response.model'],
  tool: ['gen_ai.operation.name'],
} as const;

test('what Sentry requires is there, also of a call that failed', () => {
  const failed = llm({ id: 1, ms: [0, 1], status: 'error', error: { type: 'overloaded_error', message: '' } });
  const spans: readonly CapturedSpan[] = [...Object.values(SAMPLE_TRACES).flat(), failed];
  for (const span of spans) {
    const required = Object.hasOwn(REQUIRED, span.kind) ? REQUIRED[span.kind as keyof typeof REQUIRED] : [];
    for (const key of required) expect(dialect.attributes(span)[key], `${span.kind} ${key}`).toBeTypeOf('string');
  }
});

test('5 uncached, 128,955 read and 1,253 written tokens are 130,213 of input, and the price is in dollars', () => {
  const usage = { inputTokens: 130_213, outputTokens: 210, cacheReadTokens: 128_955, cacheWriteTokens: 1253 };
  expect(dialect.attributes(llm({ id: 1, ms: [0, 1], usage, costUsd: 0.046_549_75 }))).toMatchObject({
    'gen_ai.usage.input_tokens': 5 + 128_955 + 1253,
    'gen_ai.usage.cache_read.input_tokens': 128_955,
    'gen_ai.usage.cache_creation.input_tokens': 1253,
    'gen_ai.usage.output_tokens': 210,
    'gen_ai.usage.total_tokens': 130_423,
    'gen_ai.cost.total_tokens': 0.046_549_75,
  });
});

test('agents carry neither tokens nor money that Sentry would add up', () => {
  const totals = { usage: { inputTokens: 9, outputTokens: 1 }, costUsd: 1 };
  const keys = Object.keys(dialect.attributes(agent({ id: 1, ms: [0, 1], totals })));
  expect(keys.filter((key) => /^gen_ai\.(usage|cost)/.test(key))).toEqual([]);
});

test('tool definitions are the names of the session on the agent, and with schemas on the calls that showed them', () => {
  expect(dialect.attributes(agent({ id: 1, ms: [0, 1], toolNames: ['Bash', 'Read'] }))['gen_ai.tool.definitions']).toBe(
    '[{"type":"function","name":"Bash"},{"type":"function","name":"Read"}]',
  );
  const toolDefinitions = [{ name: 'Bash', inputSchema: { type: 'object' } }];
  expect(dialect.attributes(llm({ id: 1, ms: [0, 1], toolDefinitions }))['gen_ai.tool.definitions']).toBe(
    '[{"type":"function","name":"Bash","parameters":{"type":"object"}}]',
  );
});

test('messages of 300 KB are cut to valid messages, the latest kept', () => {
  const message = (text: string) => ({ role: 'user' as const, content: [{ type: 'text' as const, text }] });
  const input = ['a', 'b', 'c'].map((letter) => message(letter.repeat(100_000)));
  const text = String(dialect.attributes(llm({ id: 1, ms: [0, 1], input }))['gen_ai.input.messages']);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
  const messages = JSON.parse(text) as readonly { readonly parts: readonly { readonly content: string }[] }[];
  expect(messages.flatMap(messageFaults)).toEqual([]);
  expect(messages.at(-1)?.parts[0]?.content).toMatch(/^c{1000}/);
  const long = tool({ id: 1, ms: [0, 1], input: { command: '€'.repeat(100_000) } });
  expect(JSON.parse(String(dialect.attributes(long)['gen_ai.tool.call.arguments']))).toEqual({
    command: expect.stringMatching(/^€+…$/u),
  });
});

test('pictures are marked in Sentry’s words, and not sent', () => {
  const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
  const url = { type: 'url', url: 'data:image/png;base64,iVBORw0KGgo=' };
  const content = [source, url].map((one) => ({ type: 'other' as const, raw: { type: 'image', source: one } }));
  const input = [{ role: 'user' as const, content }];
  const text = dialect.attributes(llm({ id: 1, ms: [0, 1], input }))['gen_ai.input.messages'];
  expect(text).not.toContain('iVBORw0KGgo');
  expect(JSON.parse(String(text))).toMatchObject([
    {
      parts: [
        { type: 'blob', content: '[Blob substitute]' },
        { type: 'uri', uri: '[Blob substitute]' },
      ],
    },
  ]);
});

test('no attribute of the user’s is taken for one of Sentry’s', () => {
  const attributes = {
    'sentry.op': 'http.server',
    'gen_ai.cost.total_tokens': 99,
    'gen_ai.usage.total_tokens': 99,
    plan: 'pro',
  };
  expect(dialect.attributes(llm({ id: 1, ms: [0, 1], attributes }))).toMatchObject({
    'sentry.op': 'gen_ai.chat',
    'claude.attribute.sentry.op': 'http.server',
    'claude.attribute.gen_ai.cost.total_tokens': 99,
    'claude.attribute.gen_ai.usage.total_tokens': 99,
    plan: 'pro',
  });
});

test.each([
  ['rate_limit_error', 'resource_exhausted'],
  ['overloaded_error', 'unavailable'],
  ['invalid_request_error', 'invalid_argument'],
  ['ShellError', 'internal_error'],
  ['constructor', 'internal_error'],
])('%s is %s to Sentry', (type, message) => {
  const span = tool({ id: 1, ms: [0, 1], status: 'error', error: { type, message: 'words' } });
  expect(dialect.status(span)).toEqual({ code: 'error', message });
  expect(dialect.attributes(span)['error.type']).toBe(type);
});

test('so are those that a tool gave', () => {
  const data = 'iVBORw0KGgo=';
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
  const result = { type: 'tool_result' as const, toolUseId: 'toolu_1', content: [image], isError: false };
  const call = llm({ id: 1, ms: [0, 1], input: [{ role: 'user', content: [result] }] });
  const file = { type: 'image', file: { base64: data, type: 'image/png' } };
  const outputs = [[image], file].map((output) => tool({ id: 2, ms: [0, 1], toolName: 'Read', output }));
  const texts = [call, ...outputs].map((span) => JSON.stringify(dialect.attributes(span)));
  expect(texts.filter((text) => text.includes('iVBORw0KGgo'))).toEqual([]);
  expect(texts.filter((text) => text.includes('[Blob substitute]'))).toHaveLength(3);
});
