import type { CapturedSpan } from '@spanprism/core';
import {
  agent,
  custom,
  hook,
  instructionFaults,
  llm,
  messageFaults,
  permission,
  SAMPLE_TRACES,
  spelled,
  tool,
} from '@spanprism/testkit/samples';
import { describe, expect, test } from 'vitest';
import { agentRuns, badgeOf, llmsPage, panelOf, recordsFull, type SentSpan } from './__fixtures__/fake-logfire.ts';
import { logfireDialect } from './logfire-dialect.ts';

const dialect = logfireDialect();
const TRACES = Object.entries(SAMPLE_TRACES);

/** As it reaches Logfire, without the way there. */
function sent(span: CapturedSpan): SentSpan {
  const { code, message = '' } = dialect.status(span);
  const { parentSpanId } = span;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: dialect.spanName(span),
    startedAt: span.startedAt,
    endedAt: span.endedAt ?? span.startedAt,
    status: { code: { unset: 0, ok: 1, error: 2 }[code], message },
    attributes: dialect.attributes(span),
    events: dialect.events(span),
    resource: {},
    scope: { name: '', version: '' },
  };
}

const recordsOf = (...spans: readonly CapturedSpan[]) => recordsFull(spans.map(sent));

function recordOf(span: CapturedSpan) {
  const [record] = recordsOf(span);
  if (record === undefined) throw new Error('no record');
  return record;
}

describe('golden files', () => {
  test.each(TRACES)('%s is spelled as reviewed', async (trace, spans) => {
    await expect(spelled(dialect, spans)).toMatchFileSnapshot(`__fixtures__/${trace}.logfire.json`);
  });
});

describe('counted by the formulas of Logfire', () => {
  const [call, , , run] = SAMPLE_TRACES['text-and-tool'] as readonly [CapturedSpan, ...CapturedSpan[]];

  test('input is what no cache knew, what was read from it and what was written to it', () => {
    const page = llmsPage(recordsOf(call));
    expect(page).toMatchObject([
      { provider: 'anthropic', model: 'claude-sonnet-4-5', calls: 1, input: 5 + 128_955 + 1253 },
    ]);
    expect(page[0]?.cost).toBe(0.046_549_75);
  });

  test('a run is the sum of its calls, and no call itself', () => {
    const records = recordsOf(...(SAMPLE_TRACES['text-and-tool'] ?? []));
    expect(llmsPage(records).map(({ calls }) => calls)).toEqual([2]);
    const top = records.find(({ spanId }) => spanId === run?.spanId);
    expect(top && badgeOf(top, records)).toMatchObject({ isSum: true, input: 130_213 + 130_500, output: 210 + 12 });
  });

  test('runs with subagents are counted once', () => {
    const spans = SAMPLE_TRACES['parallel-subagents'] ?? [];
    const records = recordsOf(...spans);
    const wanted = spans.reduce((sum, span) => sum + (span.kind === 'llm' ? (span.usage?.inputTokens ?? 0) : 0), 0);
    const root = records.find(({ parentSpanId }) => parentSpanId === undefined);
    expect(wanted).toBeGreaterThan(0);
    expect(root && badgeOf(root, records).input).toBe(wanted);
    expect(llmsPage(records).reduce((sum, row) => sum + row.input, 0)).toBe(wanted);
  });

  test('a call that was cut at its most tokens is a truncated one', () => {
    const cut = llm({ id: 1, ms: [0, 1], stopReason: 'max_tokens' });
    expect(llmsPage(recordsOf(cut))[0]).toMatchObject({ truncated: 1, errors: 0 });
  });

  test('the time to the first chunk is where the dashboards look', () => {
    expect(llmsPage(recordsOf(call))[0]?.timesToFirstChunk).toEqual([0.7505]);
  });

  test('a failed call is an error with what it failed of', () => {
    const failed = llm({
      id: 1,
      ms: [0, 1],
      status: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    });
    expect(llmsPage(recordsOf(failed))[0]).toMatchObject({ calls: 1, errors: 1 });
    expect(recordOf(failed).exception).toEqual({ type: 'overloaded_error', message: 'Overloaded' });
  });
});

describe('the pages of agents', () => {
  test('a run has its agent, its conversation and the tools it was given', () => {
    const runs = agentRuns(recordsOf(...(SAMPLE_TRACES['text-and-tool'] ?? [])));
    expect(runs).toMatchObject([
      {
        agent: 'weather-bot',
        conversation: '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10',
        model: 'claude-sonnet-4-5',
        tools: ['Bash', 'mcp__weather__get_weather'],
        banner: undefined,
      },
    ]);
  });

  test('a failed run says so at its top', () => {
    const failed = agent({ id: 1, ms: [0, 1], status: 'error', error: { type: 'api_error', message: 'api_error' } });
    expect(agentRuns(recordsOf(failed))[0]?.banner).toEqual({ type: 'api_error', message: 'api_error' });
  });
});

describe('messages', () => {
  test('are those of the conventions, and pass their schema', () => {
    const records = TRACES.flatMap(([, spans]) => recordsOf(...spans));
    const panels = records.filter(({ attributes }) => attributes['gen_ai.input.messages'] !== undefined).map(panelOf);
    expect(panels.length).toBe(3);
    expect(panels.flatMap(({ messages }) => messages).flatMap(messageFaults)).toEqual([]);
    expect(panels.flatMap(({ system }) => instructionFaults(system))).toEqual([]);
  });

  test('stand as request and response too, as integrations of before the conventions have them', () => {
    const [call] = SAMPLE_TRACES['text-and-tool'] ?? [];
    const { attributes } = recordOf(call as CapturedSpan);
    expect(attributes['request_data']).toMatchObject({
      model: 'claude-sonnet-4-5',
      system: [{ type: 'text', text: 'You are a careful engineer.' }, { type: 'text' }],
      messages: [
        {
          role: 'user',
          content: [{ type: 'text', text: 'How is the weather in "Köln"?\nSee the picture.' }, { type: 'image' }],
        },
      ],
      tools: [
        { name: 'Bash', description: 'Runs a command', input_schema: { type: 'object' } },
        { name: 'mcp__weather__get_weather' },
      ],
    });
    expect(attributes['response_data']).toEqual({
      message: {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          {
            id: 'toolu_3',
            function: { name: 'mcp__weather__get_weather', arguments: '{"input":{"city":"Köln","days":1}}' },
          },
        ],
      },
    });
  });

  test('without content a request has its model alone, and no response', () => {
    const { attributes } = recordOf(llm({ id: 1, ms: [0, 1] }));
    expect(attributes['request_data']).toEqual({ model: 'claude-sonnet-4-5' });
    expect(attributes).not.toHaveProperty('response_data');
  });

  test('tool results stay with the message that carried them, and the words behind redacted thinking stay behind', () => {
    const span = llm({
      id: 1,
      ms: [0, 1],
      input: [
        {
          role: 'user',
          content: [
            { type: 'tool_result', toolUseId: 'toolu_1', content: 'no', isError: true },
            { type: 'other', raw: { type: 'redacted_thinking', data: 'secret' } },
          ],
        },
      ],
    });
    expect(recordOf(span).attributes['request_data']).toMatchObject({
      messages: [
        {
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'no', is_error: true },
            { type: 'redacted_thinking' },
          ],
        },
      ],
    });
    expect(JSON.stringify(dialect.attributes(span))).not.toContain('secret');
  });

  test('a text of a tool is text, whatever it looks like, and all else of it is parsed', () => {
    const text = recordOf(tool({ id: 1, ms: [0, 1], input: { a: 1 }, output: '[not JSON' }));
    expect(text.attributes['gen_ai.tool.call.arguments']).toEqual({ a: 1 });
    expect(text.attributes['gen_ai.tool.call.result']).toBe('[not JSON');
    const blocks = recordOf(tool({ id: 1, ms: [0, 1], output: [{ type: 'text', text: 'x' }] }));
    expect(blocks.attributes['gen_ai.tool.call.result']).toEqual([{ type: 'text', text: 'x' }]);
  });

  test('what is not JSON at all loses its attribute and its place in the schema', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const { attributes } = recordOf(tool({ id: 1, ms: [0, 1], input: cycle }));
    expect(attributes).not.toHaveProperty(['gen_ai.tool.call.arguments']);
  });
});

const asked = [{ role: 'user', content: [{ type: 'text', text: 'Fix the typo\nin README.md' }] }] as const;
const error = { type: 'ShellError', message: 'exit 1' };

test.each<[string, CapturedSpan, number]>([
  ['Agent claude', agent({ id: 1, ms: [0, 1] }), 9],
  ['Agent claude: Fix the typo in README.md', agent({ id: 1, ms: [0, 1], input: asked }), 9],
  ['Agent claude – max_turns', agent({ id: 1, ms: [0, 1], outcome: 'max_turns' }), 13],
  ['Agent claude – interrupted', agent({ id: 1, ms: [0, 1], outcome: 'interrupted', status: 'cancelled' }), 13],
  ['Subagent Explore', agent({ id: 1, ms: [0, 1], role: 'subagent', agentName: 'Explore' }), 9],
  ['Chat with claude-sonnet-4-5', llm({ id: 1, ms: [0, 1] }), 9],
  ['Chat with claude-sonnet-4-5', llm({ id: 1, ms: [0, 1], attempts: 2 }), 10],
  ['Chat with claude-sonnet-4-5: compaction', llm({ id: 1, ms: [0, 1], purpose: 'compaction' }), 9],
  ['Chat with claude-sonnet-4-5 – max_tokens', llm({ id: 1, ms: [0, 1], stopReason: 'max_tokens' }), 13],
  ['Chat with claude-sonnet-4-5 – ShellError: exit 1', llm({ id: 1, ms: [0, 1], status: 'error', error }), 17],
  ['Chat with claude-sonnet-4-5 – error', llm({ id: 1, ms: [0, 1], status: 'error' }), 17],
  ['Tool Bash', tool({ id: 1, ms: [0, 1] }), 9],
  ['Tool Bash: ls -la', tool({ id: 1, ms: [0, 1], input: { command: 'ls -la' } }), 9],
  [
    'Tool Bash – denied by user',
    tool({ id: 1, ms: [0, 1], status: 'error', error, denied: { decidedBy: 'user' } }),
    13,
  ],
  ['Permission for Bash – denied by host', permission({ id: 1, ms: [0, 1], decision: 'deny', decidedBy: 'host' }), 10],
  ['Permission for Bash – allowed by user', permission({ id: 1, ms: [0, 1], decision: 'allow', decidedBy: 'user' }), 9],
  ['Hook PreToolUse:Bash – blocked', hook({ id: 1, ms: [0, 1], hookName: 'PreToolUse:Bash', blocked: true }), 10],
  ['Hook PreToolUse:Bash', hook({ id: 1, ms: [0, 1], hookName: 'PreToolUse:Bash', blocked: false }), 5],
  ['review', custom({ id: 1, ms: [0, 1], name: 'review' }), 9],
])('%s', (title, span, level) => {
  expect(recordOf(span)).toMatchObject({ message: title, level });
});

test('a title is one line of bounded length, cut between characters', () => {
  const input = [{ role: 'user', content: [{ type: 'text', text: `${'a'.repeat(99)}🎉 and on` }] }] as const;
  const { message } = recordOf(agent({ id: 1, ms: [0, 1], input }));
  expect(message).toBe(`Agent claude: ${'a'.repeat(99)}…`);
});

test('a refusal of permission is no exception, and what was cancelled is none', () => {
  const denied = tool({ id: 1, ms: [0, 1], status: 'error', error, denied: { decidedBy: 'rule' } });
  for (const span of [denied, tool({ id: 1, ms: [0, 1], status: 'cancelled' })])
    expect(recordOf(span).exception).toBeUndefined();
});

test('calls are tagged as those of other integrations are, and tags of the user are tags', () => {
  const attributes = { tags: '["example","LLM"]', team: 'a' };
  expect(recordOf(llm({ id: 1, ms: [0, 1] })).tags).toEqual(['LLM']);
  expect(recordOf(llm({ id: 1, ms: [0, 1], attributes })).tags).toEqual(['LLM', 'example']);
  const record = recordOf(tool({ id: 1, ms: [0, 1], attributes }));
  expect(record.tags).toEqual(['example', 'LLM']);
  expect(record.attributes).toMatchObject({ team: 'a' });
  expect(record.attributes).not.toHaveProperty('tags');
});

test("a user's key never says something to Logfire", () => {
  const attributes = { 'logfire.level_num': 21, 'logfire.span_type': 'log', 'operation.cost': 99, request_data: 'x' };
  const record = recordOf(
    llm({ id: 1, ms: [0, 1], costUsd: 0.5, usage: { inputTokens: 1, outputTokens: 1 }, attributes }),
  );
  expect(record).toMatchObject({ kind: 'span', level: 9, attributes: { 'operation.cost': 0.5 } });
  expect(record.attributes).toMatchObject({
    'claude.attribute.logfire.level_num': 21,
    'claude.attribute.operation.cost': 99,
    'claude.attribute.request_data': 'x',
  });
});

test('no fact has two names', () => {
  for (const span of TRACES.flatMap(([, spans]) => spans)) {
    const keys = Object.keys(dialect.attributes(span));
    for (const other of ['claude.cost_usd', 'gen_ai.response.time_to_first_chunk', 'claude.tool_names'])
      expect(keys).not.toContain(other);
  }
});

describe('a span that runs', () => {
  const begun = (span: CapturedSpan): CapturedSpan => {
    const { endedAt: _, ...rest } = span;
    return rest as CapturedSpan;
  };

  test('is shown by a record below it, of no length, that names its parent', () => {
    const span = begun(tool({ id: 3, parent: 1, ms: [5, 9] }));
    const record = dialect.atStart?.(span);
    expect(record).toMatchObject({
      parentSpanId: span.spanId,
      name: 'execute_tool Bash',
      startedAt: span.startedAt,
      endedAt: span.startedAt,
      attributes: {
        'logfire.msg': 'Tool Bash',
        'logfire.span_type': 'pending_span',
        'logfire.pending_parent_id': span.parentSpanId,
      },
    });
    expect(record?.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(record?.spanId).not.toBe(span.spanId);
  });

  test('at the top of its trace has the parent of nobody', () => {
    const attributes = dialect.atStart?.(begun(agent({ id: 1, ms: [0, 1] })))?.attributes;
    expect(attributes?.['logfire.pending_parent_id']).toBe('0000000000000000');
  });

  test('says nothing yet of how it will end', () => {
    const title = (span: CapturedSpan): unknown => dialect.atStart?.(begun(span))?.attributes['logfire.msg'];
    expect(title(agent({ id: 1, ms: [0, 1], outcome: 'crashed' }))).toBe('Agent claude');
    expect(title(permission({ id: 1, ms: [0, 1] }))).toBe('Permission for Bash');
  });

  test('is not shown where nobody wants it', () => {
    expect(logfireDialect({ pendingSpans: false })).not.toHaveProperty('atStart');
  });
});
