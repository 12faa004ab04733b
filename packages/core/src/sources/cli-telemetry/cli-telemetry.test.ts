import { describe, expect, test } from 'vitest';
import type { Observation } from '../../model/observation.ts';
import type { MetricPoint } from '../../model/sink.ts';
import { decodeOtlp } from '../../otlp/decode/decode-otlp.ts';
import { encodeLogs, encodeMetrics, encodeTraces } from '../../otlp/encode/protobuf.ts';
import type { OtlpAttributes, OtlpLog, OtlpMetric, OtlpSpan } from '../../otlp/records.ts';
import { CliTelemetrySource, type CliTelemetryOptions } from './cli-telemetry.ts';

const GROUP = { resource: {}, scope: { name: 'com.anthropic.claude_code' } };
const TRACE = '0af7651916cd43dd8448eb211c80319c';

type Steer = Parameters<NonNullable<CliTelemetryOptions['onSteer']>>[0];

/** A source that is sent what a child would send, bytes and all. */
function source(options: Partial<CliTelemetryOptions> = {}) {
  const seen: Observation[] = [];
  const points: MetricPoint[] = [];
  const steers: Steer[] = [];
  const cli = new CliTelemetrySource({
    observe: (one) => seen.push(one),
    metrics: (some) => points.push(...some),
    onSteer: (steer) => steers.push(steer),
    askedParty: 'host',
    hasStream: true,
    showHooks: true,
    ...options,
  });
  const decode = (signal: 'traces' | 'logs' | 'metrics', body: Uint8Array) =>
    cli.receive(decodeOtlp(signal, 'protobuf', body));
  return {
    cli,
    seen,
    points,
    steers,
    of: <T extends Observation['type']>(type: T) =>
      seen.filter((one): one is Extract<Observation, { type: T }> => one.type === type),
    spans: (...records: OtlpSpan[]) => decode('traces', encodeTraces([{ ...GROUP, records }])),
    logs: (...records: OtlpLog[]) => decode('logs', encodeLogs([{ ...GROUP, records }])),
    metrics: (...records: OtlpMetric[]) => decode('metrics', encodeMetrics([{ ...GROUP, records }])),
  };
}

let ids = 0;
function span(name: string, attributes: OtlpAttributes, parentSpanId?: string): OtlpSpan {
  ids += 1;
  return {
    traceId: TRACE,
    spanId: ids.toString(16).padStart(16, '0'),
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: 1,
    startedAt: 1_000_000_000n,
    endedAt: 2_000_000_000n,
    attributes,
    events: [],
    links: [],
    status: { code: 0 },
  };
}

function log(name: string, attributes: OtlpAttributes, spanId?: string): OtlpLog {
  return {
    at: 3_000_000_000n,
    attributes: { 'event.name': name, ...attributes },
    ...(spanId === undefined ? {} : { traceId: TRACE, spanId }),
  };
}

const A = 'aaaaaaaaaaaaaaaa';
const B = 'bbbbbbbbbbbbbbbb';

describe('a call', () => {
  const figures = { input_tokens: 10, output_tokens: 5, cache_read_tokens: 100, cache_creation_tokens: 7 };
  // OpenTelemetry's input includes the cache, Anthropic's does not.
  const usage = { inputTokens: 117, outputTokens: 5, cacheReadTokens: 100, cacheWriteTokens: 7 };

  test.each([
    ['numbers', (value: number) => value],
    ['strings', String],
  ])('has its figures whether the CLI writes them as %s', (_, write) => {
    const { logs, of } = source();
    const written = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, write(value)]));
    logs(
      log('api_request', {
        request_id: 'req_1',
        model: 'm',
        cost_usd: write(0.25),
        duration_ms: write(500),
        ...written,
      }),
    );
    expect(of('call-measured')).toMatchObject([
      {
        part: 'log',
        call: { requestId: 'req_1' },
        usage,
        costUsd: 0.25,
        startedAt: 2_500_000_000n,
        endedAt: 3_000_000_000n,
      },
    ]);
  });

  test.each(['', 'NaN', 'many', 'Infinity'])('has no figure where the CLI writes %o', (written) => {
    const { logs, of } = source();
    logs(log('api_request', { request_id: 'req_1', model: 'm', output_tokens: written, cost_usd: written }));
    expect(of('call-measured')[0]).not.toHaveProperty('usage');
    expect(of('call-measured')[0]).not.toHaveProperty('costUsd');
  });

  test('begins with its first attempt and gets its first token after its last', () => {
    const { spans, of } = source();
    const attempt = (at: bigint) => ({ name: 'gen_ai.request.attempt', at, attributes: {} });
    const call = span('claude_code.llm_request', { request_id: 'req_1', 'gen_ai.request.model': 'm', ttft_ms: 100 }, A);
    spans({ ...call, events: [attempt(1_100_000_000n), attempt(1_500_000_000n)] });
    expect(of('call-measured')).toMatchObject([
      { part: 'span', attempts: 2, startedAt: 1_100_000_000n, endedAt: 2_000_000_000n, firstTokenAt: 1_600_000_000n },
    ]);
  });

  test('that failed has an error and no figures', () => {
    const { spans, logs, of } = source();
    spans(span('claude_code.llm_request', { success: false, status_code: '529', error: 'Overloaded', ...figures }, A));
    logs(log('api_error', { error_class: 'APIConnectionError', error: 'reset', cost_usd: 1, ...figures }, A));
    const [bySpan, byLog] = of('call-measured');
    expect(bySpan?.error).toEqual({ type: '529', message: 'Overloaded' });
    expect(byLog?.error).toEqual({ type: 'APIConnectionError', message: 'reset' });
    for (const one of [bySpan, byLog]) {
      expect(one).not.toHaveProperty('usage');
      expect(one).not.toHaveProperty('costUsd');
    }
  });

  test.each([
    ['sdk', 'turn'],
    ['repl_main_thread', 'turn'],
    ['agent:builtin:general-purpose', 'turn'],
    ['agent.custom', 'turn'],
    ['compact', 'compaction'],
    ['generate_session_title', 'title'],
    ['model_validation', 'validation'],
    ['web_fetch_apply', 'other'],
    [undefined, 'turn'],
  ])('with query_source %s is for %s', (query_source, purpose) => {
    const { spans, of } = source();
    spans(span('claude_code.llm_request', query_source === undefined ? {} : { query_source }, A));
    expect(of('call-measured')[0]?.purpose).toBe(purpose);
  });

  test.each([
    [{ 'anthropic.provider': 'bedrock', 'gen_ai.provider.name': 'anthropic' }, 'aws.bedrock'],
    [{ 'anthropic.provider': 'vertex' }, 'gcp.vertex_ai'],
    [{ 'anthropic.provider': 'firstParty', 'gen_ai.provider.name': 'anthropic' }, 'anthropic'],
    [{}, undefined],
  ])('of %o is answered by %s', (attributes, provider) => {
    const { spans, of } = source();
    spans(span('claude_code.llm_request', attributes, A));
    expect(of('call-measured')[0]?.provider).toBe(provider);
  });

  test('without an id is told by its place in the row of such calls of its agent, purpose and kind of record', () => {
    const { spans, logs, of } = source();
    const call = (attributes: OtlpAttributes, parent: string) => span('claude_code.llm_request', attributes, parent);
    spans(call({}, A), call({}, A), call({ query_source: 'compact' }, A), call({}, B), call({ agent_id: 'a1' }, A));
    logs(log('api_request', { 'event.sequence': 1 }, A), log('api_request', { 'event.sequence': 2 }, A));
    expect(of('call-measured').map(({ ordinal }) => ordinal)).toEqual([0, 1, 0, 0, 0, 0, 1]);
  });

  test('without an id that is exported once more keeps its place', () => {
    const { spans, of } = source();
    const [first, second] = [span('claude_code.llm_request', {}, A), span('claude_code.llm_request', {}, A)];
    spans(first, second);
    spans(first, second);
    expect(of('call-measured').map(({ ordinal }) => ordinal)).toEqual([0, 1, 0, 1]);
    expect(new Set(of('call-measured').map(({ id }) => id)).size).toBe(2);
  });

  test('with an id needs no place', () => {
    const { spans, of } = source();
    spans(span('claude_code.llm_request', { request_id: 'req_1' }, A), span('claude_code.llm_request', {}, A));
    expect(of('call-measured').map(({ ordinal }) => ordinal)).toEqual([undefined, 0]);
  });

  test('is told after its answer, though the CLI logs the answer after it', () => {
    const { logs, seen } = source();
    logs(
      log('api_request', { request_id: 'req_1', 'event.sequence': 1 }, A),
      log('assistant_response', { request_id: 'req_1', response: 'hi', 'event.sequence': 2 }, A),
    );
    expect(seen.map(({ type }) => type)).toEqual(['answer-text', 'call-measured']);
  });
});

describe('content that the CLI kept back', () => {
  test('is absent, not the word <REDACTED>', () => {
    const { logs, seen } = source();
    logs(
      log('user_prompt', { prompt: '<REDACTED>', 'event.sequence': 1 }, A),
      log('assistant_response', { request_id: 'req_1', response: '<REDACTED>', 'event.sequence': 2 }),
      log(
        'tool_result',
        { tool_use_id: 'toolu_1', tool_name: 'Bash', tool_input: '<REDACTED>', 'event.sequence': 3 },
        A,
      ),
    );
    expect(seen.map(({ type }) => type)).toEqual(['turn-start', 'tool-measured']);
    expect(
      JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('REDACTED');
  });
});

describe('turns', () => {
  test('are counted by prompts, and one that is exported once more does not count again', () => {
    const { logs, of, steers } = source();
    const one = log('user_prompt', { prompt: 'one', 'event.sequence': '1' }, A);
    const two = log('user_prompt', { prompt: 'two', 'event.sequence': '9' }, B);
    logs(one);
    logs(one, two);
    logs(two);
    expect(of('turn-start').map(({ turn, cliSpanId }) => [turn, cliSpanId])).toEqual([
      [0, A],
      [1, B],
    ]);
    expect(steers).toEqual([]);
  });

  test('that a prompt joins while they run stay one', () => {
    const { logs, of, steers } = source();
    logs(log('user_prompt', { prompt: 'one', 'event.sequence': 1 }, A));
    logs(log('user_prompt', { prompt: 'STEER', 'event.sequence': 5 }, A));
    logs(log('user_prompt', { prompt: 'later', 'event.sequence': 9 }, B));
    expect(of('turn-start').map(({ turn }) => turn)).toEqual([0, 1]);
    expect(steers).toEqual([{ turn: 0, at: 3_000_000_000n }]);
  });

  test.each([
    [{ prompt: '/cost', command_name: 'cost' }, 'command'],
    [{ prompt: '<task-notification>done</task-notification>' }, 'task_notification'],
    [{ prompt: 'hello' }, undefined],
  ])('of %o are triggered by %s', (attributes, trigger) => {
    const { logs, of } = source();
    logs(log('user_prompt', attributes, A));
    expect(of('turn-start')[0]?.trigger).toBe(trigger);
  });

  test('are measured by the span of their number', () => {
    const { spans, of, cli } = source();
    spans(span('claude_code.interaction', { 'interaction.sequence': 2 }), span('claude_code.interaction', {}));
    expect(of('turn-measured')).toMatchObject([{ turn: 1, startedAt: 1_000_000_000n, at: 2_000_000_000n }]);
    expect(cli.counters.unknown).toBe(1);
  });
});

describe('a tool', () => {
  test('of an MCP server gets its full name from its parameters', () => {
    const { logs, of } = source();
    const tool_parameters = JSON.stringify({ mcp_server_name: 'files', mcp_tool_name: 'read' });
    logs(log('tool_result', { tool_use_id: 'toolu_1', tool_name: 'mcp_tool', tool_parameters }, A));
    expect(of('tool-measured')[0]?.toolName).toBe('mcp__files__read');
  });

  test.each(['{broken', '5', '{}', 'null'])('of an MCP server with parameters %s has no name from there', (written) => {
    const { logs, of } = source();
    logs(log('tool_result', { tool_use_id: 'toolu_1', tool_name: 'mcp_tool', tool_parameters: written }, A));
    expect(of('tool-measured')[0]).not.toHaveProperty('toolName');
  });

  test('that was aborted is cancelled', () => {
    const { logs, of } = source();
    logs(log('tool_result', { tool_use_id: 'toolu_1', success: 'false', error_class: 'AbortError' }, A));
    expect(of('tool-measured')[0]?.error?.type).toBe('cancelled');
  });

  test.each([
    ['config', 'accept', { decidedBy: 'rule', decision: 'allow', wasAsked: false }],
    ['hook', 'reject', { decidedBy: 'hook', decision: 'deny', wasAsked: false }],
    ['user_temporary', 'accept', { decidedBy: 'host', decision: 'allow', wasAsked: true }],
    ['user_reject', 'reject', { decidedBy: 'host', decision: 'deny', wasAsked: true }],
    ['bypass', 'accept', { decidedBy: 'mode', decision: 'allow', wasAsked: false }],
  ])('blocked by %s (%s) is decided so', (by, decision, decided) => {
    const { spans, of } = source();
    spans(span('claude_code.tool.blocked_on_user', { source: by, decision }, A));
    expect(of('permission')).toMatchObject([{ cliToolSpanId: A, ...decided }]);
  });
});

describe('hooks', () => {
  const hook = { hook_event: 'PreToolUse', num_hooks: '2', num_blocking: '1', total_duration_ms: '250' };

  test('are told with their time and whether they blocked', () => {
    const { logs, of } = source();
    logs(log('hook_execution_complete', hook, A));
    expect(of('hook')).toMatchObject([{ hookEvent: 'PreToolUse', startedAt: 2_750_000_000n, blocked: true }]);
  });

  test('that did not run, or are only ours, are not told', () => {
    const { logs, of } = source();
    logs(log('hook_execution_complete', { ...hook, num_hooks: 0 }, A));
    expect(of('hook')).toEqual([]);
    const ours = source({ showHooks: false });
    ours.logs(log('hook_execution_complete', hook, A));
    expect(ours.of('hook')).toEqual([]);
  });
});

describe('metrics', () => {
  const sum = (name: string, points: readonly [number, OtlpAttributes][], at = 5n): OtlpMetric => ({
    name,
    unit: 'x',
    data: {
      type: 'sum',
      temporality: 1,
      isMonotonic: true,
      points: points.map(([value, attributes]) => ({ value, attributes, at, isInt: false })),
    },
  });

  test('of tokens and cost are counted per model, the rest is passed on', () => {
    const { metrics, of, points } = source();
    metrics(
      sum('claude_code.token.usage', [
        [10, { type: 'input', model: 'a' }],
        [2, { type: 'output', model: 'a' }],
        [5, { type: 'cacheRead', model: 'b' }],
        [9, { type: 'unheard_of', model: 'b' }],
      ]),
      sum('claude_code.cost.usage', [
        [0.5, { model: 'a' }],
        [0.25, { model: 'b' }],
      ]),
      sum('claude_code.session.count', [[1, {}]]),
    );
    expect(of('counters')).toMatchObject([
      {
        totals: {
          usage: { inputTokens: 15, outputTokens: 2, cacheReadTokens: 5 },
          costUsd: 0.75,
          byModel: { a: { costUsd: 0.5 }, b: { costUsd: 0.25 } },
        },
      },
    ]);
    expect(points).toHaveLength(7);
    expect(points.at(-1)).toMatchObject({
      name: 'claude_code.session.count',
      data: { temporality: 'delta', value: 1 },
    });
  });

  test('that are exported once more have the same id', () => {
    const { metrics, of } = source();
    const once = sum('claude_code.cost.usage', [[0.5, { model: 'a' }]], 77n);
    metrics(once);
    metrics(once);
    expect(new Set(of('counters').map(({ id }) => id)).size).toBe(1);
  });
});

describe('what the source took in', () => {
  test('is counted, with what it does not know', () => {
    const { cli, spans, logs, metrics, seen } = source();
    spans(
      span('claude_code.llm_request', {}, A),
      span('claude_code.unheard_of', {}),
      span('other', {}),
      span('claude_code.tool', {}),
    );
    logs(log('api_request', {}, A), log('unheard_of', {}), { at: 1n, attributes: {} });
    metrics({ name: 'x', data: { type: 'other' } });
    // Three spans, two logs and a metric.
    expect(cli.counters).toEqual({ spans: 4, logs: 3, metrics: 1, unknown: 6 });
    expect(seen).toHaveLength(2);
  });

  test('is not unknown where it is left alone on purpose, and is where it lacks its ids', () => {
    const { cli, spans, logs, seen } = source({ showHooks: false });
    spans(span('claude_code.hook', {}, A));
    logs(log('tool_decision', {}), log('plugin_loaded', {}), log('hook_execution_complete', {}), log('compaction', {}));
    expect(cli.counters.unknown).toBe(0);
    logs(log('tool_result', {}), log('subagent_completed', {}));
    expect(cli.counters.unknown).toBe(2);
    expect(seen).toEqual([]);
  });

  test('names its event by `event.name` or, where that is missing, by the record’s own', () => {
    const { logs, of } = source();
    logs({ at: 1n, eventName: 'claude_code.user_prompt', attributes: { prompt: 'hi' }, spanId: A, traceId: TRACE });
    expect(of('turn-start')).toHaveLength(1);
  });

  test('tells of a session once', () => {
    const { logs, spans, of } = source();
    logs(log('api_request', { 'session.id': 's1', 'event.sequence': 1 }, A));
    spans(span('claude_code.llm_request', { 'session.id': 's1' }, A));
    expect(of('session').map(({ sessionId }) => sessionId)).toEqual(['s1']);
  });
});
