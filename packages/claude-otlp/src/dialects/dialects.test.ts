import { jsonText } from '@spanprism/core/dialect';
import type { Dialect } from '@spanprism/core/dialect';
import { genaiDialect } from '@spanprism/core/dialect';
import { testDialect } from '@spanprism/testkit/conformance';
import { agent, custom, llm, SAMPLE_TRACES, spelled, tool } from '@spanprism/testkit/samples';
import { describe, expect, test } from 'vitest';
import { BRAINTRUST } from './braintrust.ts';
import { LAMINAR } from './laminar.ts';
import { LANGSMITH } from './langsmith.ts';
import { openinferenceDialect } from './openinference.ts';
import { overlaid } from './overlay.ts';
import { SENTRY_OTLP } from './sentry-otlp.ts';
import { OPIK, WEAVE } from './threads.ts';
import { TRACELOOP } from './traceloop.ts';

const STANDARD = ['gen_ai.', 'claude.', 'error.', 'mcp.'];

interface Case {
  readonly dialect: Dialect;
  readonly prefixes: readonly string[];
}

const over = (overlay: Parameters<typeof overlaid>[1]): Dialect => overlaid(genaiDialect(), overlay);
const CASES: readonly Case[] = [
  {
    dialect: openinferenceDialect(),
    prefixes: ['openinference.', 'llm.', 'input.', 'output.', 'tool.', 'agent.', 'session.', 'tag.', 'claude.'],
  },
  { dialect: over(LANGSMITH), prefixes: [...STANDARD, 'langsmith.', 'input.', 'output.'] },
  { dialect: over(BRAINTRUST), prefixes: [...STANDARD, 'braintrust.'] },
  { dialect: over(LAMINAR), prefixes: [...STANDARD, 'lmnr.'] },
  { dialect: over(TRACELOOP), prefixes: [...STANDARD, 'traceloop.'] },
  { dialect: over(OPIK), prefixes: [...STANDARD, 'thread_id'] },
  { dialect: over(WEAVE), prefixes: [...STANDARD, 'wandb.'] },
  { dialect: over(SENTRY_OTLP), prefixes: [...STANDARD, 'sentry.'] },
];

describe.each(CASES)('$dialect.name', ({ dialect, prefixes }) => {
  testDialect(test, { dialect, prefixes });

  test.each(Object.entries(SAMPLE_TRACES))('%s is spelled as reviewed', async (trace, spans) => {
    await expect(spelled(dialect, spans)).toMatchFileSnapshot(`../__fixtures__/${trace}.${dialect.name}.json`);
  });

  test('attributes said one by one are those of the object, in its order, each once', () => {
    for (const span of Object.values(SAMPLE_TRACES).flat()) {
      const said: [string, unknown][] = [];
      dialect.putAttributes?.(span, { put: (key, value) => void (value === undefined || said.push([key, value])) });
      expect(said).toEqual(Object.entries(dialect.attributes(span)));
    }
  });

  test('no span but that of a call carries figures that are added up', () => {
    const others = Object.values(SAMPLE_TRACES).flatMap((spans) => spans.filter((span) => span.kind !== 'llm'));
    const keys = others.flatMap((span) => Object.keys(dialect.attributes(span)));
    expect(keys.filter((key) => /^(gen_ai\.usage|gen_ai\.cost|llm\.token_count|llm\.cost)/.test(key))).toEqual([]);
  });
});

const oi = openinferenceDialect();
const question = (text: string) => [{ role: 'user' as const, content: [{ type: 'text' as const, text }] }];

describe('OpenInference', () => {
  test('messages are flattened, the system first, results as messages of their own', () => {
    const span = llm({
      id: 1,
      ms: [0, 1],
      systemInstructions: ['Be short.'],
      input: [
        {
          role: 'user',
          content: [
            { type: 'tool_result', toolUseId: 'toolu_1', content: [{ type: 'text', text: 'a' }], isError: false },
            { type: 'tool_result', toolUseId: 'toolu_2', content: 'b', isError: true },
            { type: 'text', text: 'Go on.' },
          ],
        },
      ],
      output: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.' },
            { type: 'text', text: 'Yes.' },
            { type: 'tool_use', id: 'toolu_3', name: 'Bash', input: { command: 'ls' } },
          ],
        },
      ],
    });
    const messages = Object.entries(oi.attributes(span)).filter(([key]) => /_messages\./.test(key));
    expect(Object.fromEntries(messages)).toEqual({
      'llm.input_messages.0.message.role': 'system',
      'llm.input_messages.0.message.content': 'Be short.',
      'llm.input_messages.1.message.role': 'tool',
      'llm.input_messages.1.message.tool_call_id': 'toolu_1',
      'llm.input_messages.1.message.content': '[{"type":"text","text":"a"}]',
      'llm.input_messages.2.message.role': 'tool',
      'llm.input_messages.2.message.tool_call_id': 'toolu_2',
      'llm.input_messages.2.message.content': 'b',
      'llm.input_messages.3.message.role': 'user',
      'llm.input_messages.3.message.content': 'Go on.',
      'llm.output_messages.0.message.role': 'assistant',
      'llm.output_messages.0.message.contents.0.message_content.type': 'reasoning',
      'llm.output_messages.0.message.contents.0.message_content.text': 'Hm.',
      'llm.output_messages.0.message.contents.1.message_content.type': 'text',
      'llm.output_messages.0.message.contents.1.message_content.text': 'Yes.',
      'llm.output_messages.0.message.tool_calls.0.tool_call.id': 'toolu_3',
      'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'Bash',
      'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': '{"command":"ls"}',
    });
  });

  test('one text goes in and out as it is, and anything else as JSON', () => {
    const turn = agent({
      id: 1,
      ms: [0, 1],
      input: question('say "hi"'),
      output: [...question('hi'), ...question('there')],
    });
    expect(oi.attributes(turn)).toMatchObject({
      'input.value': 'say "hi"',
      'input.mime_type': 'text/plain',
      'output.mime_type': 'application/json',
    });
    expect(oi.attributes(tool({ id: 1, ms: [0, 1], input: { a: 1 }, output: 'plain' }))).toMatchObject({
      'input.value': '{"a":1}',
      'input.mime_type': 'application/json',
      'output.value': 'plain',
      'output.mime_type': 'text/plain',
    });
  });

  test('a failure is an exception, and whoever serves the model is named in its words', () => {
    const error = { type: 'overloaded_error', message: 'busy' };
    const failed = llm({ id: 1, ms: [0, 1], status: 'error', error, provider: 'gcp.vertex_ai' });
    expect(oi.events(failed)).toMatchObject([
      { name: 'exception', attributes: { 'exception.type': 'overloaded_error', 'exception.message': 'busy' } },
    ]);
    expect(oi.attributes(failed)).toMatchObject({ 'llm.provider': 'google', 'llm.system': 'anthropic' });
  });

  test('tags are a list, and no attribute of the user’s says what only a span may', () => {
    const attributes = { tags: '["a","b"]', 'llm.cost.total': 9, metadata: 'm', team: 'x' };
    const spelt = oi.attributes(custom({ id: 1, ms: [0, 1], attributes }));
    expect(spelt).toMatchObject({
      'tag.tags': ['a', 'b'],
      'claude.attribute.llm.cost.total': 9,
      'claude.attribute.metadata': 'm',
      team: 'x',
    });
    expect(spelt).not.toHaveProperty('tags');
  });
});

describe('overlays', () => {
  const attributes = { tags: '["a","b"]', team: 'x', 'gen_ai.usage.output_tokens': 7, thread_id: 'mine' };
  const call = llm({
    id: 1,
    ms: [0, 1],
    usage: { inputTokens: 3, outputTokens: 1 },
    input: question('hi'),
    attributes,
  });

  test('what is the user’s goes where the backend keeps such things, and never over what is ours', () => {
    expect(over(LANGSMITH).attributes(call)).toMatchObject({
      'langsmith.metadata.team': 'x',
      'langsmith.span.tags': 'a,b',
      'gen_ai.usage.output_tokens': 1,
      'gen_ai.usage.total_tokens': 4,
      'claude.attribute.gen_ai.usage.output_tokens': 7,
    });
    expect(over(BRAINTRUST).attributes(call)).toMatchObject({
      'braintrust.metadata.team': 'x',
      'braintrust.tags': ['a', 'b'],
    });
    expect(over(OPIK).attributes(call)).toMatchObject({
      thread_id: call.sessionId,
      'claude.attribute.thread_id': 'mine',
    });
  });

  test('LangSmith is given messages as its own SDKs send them, once', () => {
    const spelt = over(LANGSMITH).attributes(call);
    expect(spelt['input.value']).toBe(jsonText({ messages: [{ role: 'user', content: 'hi' }] }));
    expect(spelt).not.toHaveProperty(['gen_ai.input.messages']);
  });

  test('each turn of the main loop is a turn to Weave, and a subagent is none', () => {
    expect(over(WEAVE).attributes(agent({ id: 1, ms: [0, 1] }))).toMatchObject({ 'wandb.is_turn': true });
    expect(over(WEAVE).attributes(agent({ id: 1, ms: [0, 1], role: 'subagent' }))).not.toHaveProperty([
      'wandb.is_turn',
    ]);
  });

  test('Sentry gets nothing that it calls deprecated, and the model that it insists on', () => {
    const spelt = over(SENTRY_OTLP).attributes(llm({ id: 1, ms: [0, 1], costUsd: 0.5 }));
    expect(spelt).toMatchObject({ 'gen_ai.response.model': 'claude-sonnet-4-5', 'gen_ai.cost.total_tokens': 0.5 });
    expect(Object.keys(spelt)).not.toContain('gen_ai.system');
    expect(Object.keys(spelt)).not.toContain('claude.cost_usd');
  });
});

/** The formulas by which backends count, after their documents; `prompt` is what each shows as input. */
const COUNTS: Readonly<Record<string, readonly [Dialect, (a: Record<string, unknown>) => unknown]>> = {
  'the conventions, and whoever follows them': [genaiDialect(), (a) => a['gen_ai.usage.input_tokens']],
  'Phoenix and Arize': [openinferenceDialect(), (a) => a['llm.token_count.prompt']],
  LangSmith: [over(LANGSMITH), (a) => Number(a['gen_ai.usage.total_tokens']) - Number(a['gen_ai.usage.output_tokens'])],
  Braintrust: [over(BRAINTRUST), (a) => a['gen_ai.usage.input_tokens']],
  Laminar: [over(LAMINAR), (a) => a['gen_ai.usage.input_tokens']],
  Traceloop: [over(TRACELOOP), (a) => a['gen_ai.usage.input_tokens']],
  Sentry: [over(SENTRY_OTLP), (a) => a['gen_ai.usage.input_tokens']],
};

test.each(Object.entries(COUNTS))('%s counts every token of the input once, at one price', (_, [dialect, input]) => {
  const usage = {
    inputTokens: 5 + 128_955 + 1253,
    outputTokens: 210,
    cacheReadTokens: 128_955,
    cacheWriteTokens: 1253,
  };
  const a: Record<string, unknown> = { ...dialect.attributes(llm({ id: 1, ms: [0, 1], usage })) };
  expect(input(a)).toBe(130_213);
  // Sonnet 4.5: 3 $ a million uncached, 0.30 read, 3.75 written; whoever prices takes the caches out of the input first.
  const read = Number(a['gen_ai.usage.cache_read.input_tokens'] ?? a['llm.token_count.prompt_details.cache_read']);
  const written = Number(
    a['gen_ai.usage.cache_creation.input_tokens'] ?? a['llm.token_count.prompt_details.cache_write'],
  );
  const price = (Number(input(a)) - read - written) * 3 + read * 0.3 + written * 3.75;
  expect(price / 1e6).toBeCloseTo((5 * 3 + 128_955 * 0.3 + 1253 * 3.75) / 1e6, 12);
});

test.each(Object.entries(COUNTS))('%s counts a run with subagents once', (_, [dialect, input]) => {
  const spans = SAMPLE_TRACES['parallel-subagents'] ?? [];
  const counted = spans
    .map((span) => Number(input({ ...dialect.attributes(span) }) ?? 0))
    .filter((tokens) => tokens > 0);
  const used = spans.flatMap((span) =>
    span.kind === 'llm' && span.usage?.inputTokens ? [span.usage.inputTokens] : [],
  );
  const sum = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0);
  expect(sum(counted)).toBe(sum(used));
});
