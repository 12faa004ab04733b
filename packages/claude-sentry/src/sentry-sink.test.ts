import * as Sentry from '@sentry/node';
import { applyCapture, type CapturedSpan, resolveCapture, type Sink } from '@spanprism/core';
import { type SentryEndpoint, type SentrySpanRow, startSentryEndpoint } from '@spanprism/testkit';
import { agent, custom, llm, SAMPLE_TRACES, spanId, tool } from '@spanprism/testkit/samples';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sentrySink, type SentrySinkOptions } from './sentry-sink.ts';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());

type Init = NonNullable<Parameters<typeof Sentry.init>[0]>;
const lines: string[] = [];

function init(options: Init = {}): void {
  Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, ...options });
}

function newSink(options: SentrySinkOptions = {}): Sink {
  return sentrySink({ diag: (level, message) => void lines.push(`${level} ${message}`), ...options });
}

beforeEach(() => {
  endpoint.clear();
  lines.length = 0;
});
afterEach(() => Sentry.close(1000));

function start(sink: Sink, ...spans: readonly CapturedSpan[]): void {
  for (const { endedAt: _, ...span } of spans) sink.spanStart?.(span as CapturedSpan);
}

function end(sink: Sink, ...spans: readonly CapturedSpan[]): void {
  for (const span of spans) sink.spanEnd(span);
}

const tree = (name: string): readonly CapturedSpan[] => SAMPLE_TRACES[name] ?? [];

/** Parents before children, as core starts them, then the ends as the sample has them. */
function play(sink: Sink, spans: readonly CapturedSpan[]): void {
  start(sink, ...spans.toSorted((left, right) => depth(spans, left) - depth(spans, right)));
  for (const span of spans) {
    end(sink, span);
    const isRoot = span.kind === 'agent' && (span.role === 'main' || span.isSegment === true);
    if (isRoot) sink.turnEnd?.(span.spanId);
  }
}

function depth(spans: readonly CapturedSpan[], { parentSpanId }: CapturedSpan): number {
  const parent = spans.find((span) => span.spanId === parentSpanId);
  return parent === undefined ? 0 : 1 + depth(spans, parent);
}

const named = (name: string): SentrySpanRow => {
  const found = endpoint.spans().find((span) => span.name === name);
  if (found === undefined)
    throw new Error(
      `no span ${name} among ${endpoint
        .spans()
        .map((span) => span.name)
        .join(', ')}`,
    );
  return found;
};

interface ErrorEvent {
  readonly timestamp: number;
  readonly exception: {
    readonly values: readonly { readonly type: string; readonly value: string; readonly mechanism: unknown }[];
  };
  readonly contexts: {
    readonly trace: { readonly span_id: string; readonly trace_id: string };
    readonly claude_agent: unknown;
  };
}
const errors = (): readonly ErrorEvent[] => endpoint.errors() as unknown as readonly ErrorEvent[];

describe.each(['static', 'stream'] as const)('with %s spans', (traceLifecycle) => {
  beforeEach(() => init({ traceLifecycle }));

  test('a run hangs below the active span of the host, and what its tools make hangs below them', async () => {
    const sink = newSink();
    const request = Sentry.startInactiveSpan({ name: 'GET /ask', op: 'http.server', parentSpan: null });
    const ambient = Sentry.withActiveSpan(request, () => sink.ambient?.());
    const { traceId, spanId: parentSpanId } = request.spanContext();
    expect(ambient).toEqual({ traceId, spanId: parentSpanId, sampled: true });
    const place = { parentSpanId, parentIsRemote: true, traceId } as unknown as Partial<CapturedSpan>;
    const run = { ...agent({ id: 1, ms: [0, 90] }), ...place } as CapturedSpan;
    const call = tool({ id: 2, parent: 1, ms: [10, 50] });
    start(sink, run, call);
    sink.activate?.(spanId(2), () => Sentry.startSpan({ name: 'SELECT stock' }, () => undefined));
    end(sink, call, run);
    sink.turnEnd?.(spanId(1));
    request.end();
    await sink.flush(5000);
    expect(named('invoke_agent claude').parentSpanId).toBe(parentSpanId);
    expect(named('execute_tool Bash').parentSpanId).toBe(named('invoke_agent claude').spanId);
    expect(named('SELECT stock').parentSpanId).toBe(named('execute_tool Bash').spanId);
    expect(new Set(endpoint.spans().map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(
      endpoint
        .spans()
        .filter((span) => span.isSegment)
        .map((span) => span.name),
    ).toEqual(['GET /ask']);
    // Sentry's SDK rounds to the microsecond.
    expect(named('execute_tool Bash').startedAt).toBeCloseTo(1_795_251_600.01, 5);
  });

  test('a run of a request that was over before it goes on in the trace of the request', async () => {
    const sink = newSink();
    const request = Sentry.startInactiveSpan({ name: 'POST /jobs', parentSpan: null });
    Sentry.withActiveSpan(request, () => sink.ambient?.());
    const { traceId, spanId: parentSpanId } = request.spanContext();
    request.end();
    const place = { parentSpanId, parentIsRemote: true, traceId } as unknown as Partial<CapturedSpan>;
    const run = { ...agent({ id: 1, ms: [0, 90] }), ...place } as CapturedSpan;
    play(sink, [llm({ id: 2, parent: 1, ms: [1, 2], messageId: 'msg_1' }), run]);
    await sink.flush(5000);
    const { parentSpanId: parent, traceId: trace, spanId: id } = named('invoke_agent claude');
    expect([parent, trace]).toEqual([parentSpanId, traceId]);
    expect(named('chat claude-sonnet-4-5').parentSpanId).toBe(id);
  });

  test('a run that continues the trace of another process stands below that', async () => {
    const sink = newSink();
    const place = { parentSpanId: 'f00000000000000f', parentIsRemote: true, traceIsSampled: true };
    play(sink, [{ ...agent({ id: 1, ms: [0, 9] }), ...place } as unknown as CapturedSpan]);
    await sink.flush(5000);
    expect(named('invoke_agent claude')).toMatchObject({
      parentSpanId: 'f00000000000000f',
      traceId: agent({ id: 1, ms: [0, 9] }).traceId,
      isSegment: true,
    });
  });

  test('a subagent that outlives its turn is whole, below its tool call and in the same trace', async () => {
    const sink = newSink();
    const [call, early, late] = [
      tool({ id: 2, parent: 1, ms: [10, 12], toolName: 'Agent', inBackground: true }),
      llm({ id: 4, parent: 3, ms: [14, 20], requestModel: 'early' }),
      llm({ id: 5, parent: 3, ms: [60, 70], requestModel: 'late' }),
    ];
    const sub = agent({ id: 3, parent: 2, ms: [13, 80], role: 'subagent', agentName: 'Explore', isSegment: true });
    const main = agent({ id: 1, ms: [0, 50] });
    start(sink, main, call, sub, early);
    end(sink, call, early, main);
    sink.turnEnd?.(spanId(1));
    start(sink, late);
    end(sink, late, sub);
    sink.turnEnd?.(spanId(3));
    await sink.flush(5000);
    expect(named('invoke_agent Explore').parentSpanId).toBe(named('execute_tool Agent').spanId);
    for (const name of ['chat early', 'chat late'])
      expect(named(name).parentSpanId).toBe(named('invoke_agent Explore').spanId);
    expect(new Set(endpoint.spans().map((span) => span.traceId)).size).toBe(1);
    const transactions = endpoint
      .spans()
      .filter((span) => span.isTransaction)
      .map((span) => span.name);
    expect(transactions).toEqual(traceLifecycle === 'static' ? ['invoke_agent claude', 'invoke_agent Explore'] : []);
    expect(endpoint.spans()).toHaveLength(5);
    expect(sink.stats?.()).toEqual({ delivered: 5, queued: 0, dropped: {} });
  });

  test('each failure is one error, inside its span', async () => {
    const sink = newSink();
    play(sink, tree('error-and-retry'));
    await sink.flush(5000);
    const [failed] = errors();
    expect(errors()).toHaveLength(1);
    expect(failed?.exception.values).toMatchObject([
      {
        type: 'invalid_request_error',
        value: 'messages: at least one message is required',
        mechanism: { type: 'auto.ai.claude_agent_sdk', handled: false },
      },
    ]);
    expect(failed?.exception.values[0]).not.toHaveProperty('stacktrace');
    const row = endpoint.spans().find((span) => span.attributes['claude.request_id'] === 'req_03B');
    expect(failed?.contexts.trace).toMatchObject({ span_id: row?.spanId, trace_id: row?.traceId });
    expect(failed?.timestamp).toBeCloseTo(1_795_251_603.1, 3);
    expect(failed?.contexts.claude_agent).toMatchObject({ 'claude.request_id': 'req_03B' });
    expect([row?.status, row?.attributes['error.type']]).toEqual([
      traceLifecycle === 'static' && row?.isTransaction ? 'invalid_argument' : 'error',
      'invalid_request_error',
    ]);
    expect(named('invoke_agent claude').attributes['error.type']).toBe('api_error');
  });

  test('a tool that failed was handled; one that was denied, and what was cancelled, did not fail', async () => {
    const sink = newSink();
    const error = { type: 'ShellError', message: 'ShellError' };
    play(sink, [
      tool({ id: 2, parent: 1, ms: [0, 1], status: 'error', error }),
      tool({ id: 5, parent: 1, ms: [0, 1], status: 'error', error }),
      tool({ id: 3, parent: 1, ms: [0, 1], status: 'error', error, denied: { decidedBy: 'user' } }),
      tool({ id: 4, parent: 1, ms: [0, 1], status: 'cancelled' }),
      agent({ id: 1, ms: [0, 9] }),
    ]);
    await sink.flush(5000);
    const one = [{ type: 'ShellError', value: 'execute_tool Bash failed', mechanism: { handled: true } }];
    // Two that look alike are two, and of one kind.
    expect(errors().map(({ exception }) => exception.values)).toMatchObject([one, one]);
    for (const event of errors()) expect(event).not.toHaveProperty('fingerprint');
  });

  test('a failure of a subagent’s call is not told again as that of the subagent, its tool call and the turn', async () => {
    const failed = { status: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as const;
    const consequence = {
      status: 'error',
      error: { type: 'api_error', message: 'api_error' },
      outcome: 'api_error',
    } as const;
    const spans = (): readonly CapturedSpan[] => [
      llm({ id: 4, parent: 3, ms: [3, 4], ...failed }),
      agent({ id: 3, parent: 2, ms: [2, 5], role: 'subagent', agentName: 'Explore', ...consequence }),
      tool({ id: 2, parent: 1, ms: [1, 6], toolName: 'Agent', ...failed }),
      llm({ id: 5, parent: 1, ms: [7, 8], ...failed }),
      agent({ id: 1, ms: [0, 9], ...consequence }),
    ];
    const sink = newSink();
    play(sink, spans());
    await sink.flush(5000);
    const operations = errors().map(
      ({ contexts }) => endpoint.spans().find((span) => span.spanId === contexts.trace.span_id)?.op,
    );
    expect(operations).toEqual(['gen_ai.chat', 'gen_ai.chat']);
  });

  test('a turn that failed for a reason of its own is an error of its own', async () => {
    const sink = newSink({ captureErrors: ['agent'] });
    const error = { type: 'max_turns', message: 'max_turns' };
    play(sink, [
      llm({ id: 2, parent: 1, ms: [0, 1], status: 'error', error: { type: 'overloaded_error', message: '' } }),
      agent({ id: 1, ms: [0, 9], status: 'error', outcome: 'max_turns', error }),
    ]);
    await sink.flush(5000);
    expect(errors().map(({ exception }) => exception.values[0]?.type)).toEqual(['max_turns']);
  });

  test('captureErrors: false leaves spans alone', async () => {
    const sink = newSink({ captureErrors: false });
    play(sink, tree('error-and-retry'));
    await sink.flush(5000);
    expect(errors()).toEqual([]);
    expect(named('invoke_agent claude').attributes['error.type']).toBe('api_error');
  });

  test('tools hang below the call that asked when told to', async () => {
    const sink = newSink({ toolParent: 'llm' });
    play(sink, [
      llm({ id: 2, parent: 1, ms: [0, 5] }),
      tool({ id: 3, parent: 1, ms: [4, 6], requestedByLlmSpanId: spanId(2) }),
      agent({ id: 1, ms: [0, 9] }),
    ]);
    await sink.flush(5000);
    expect(named('execute_tool Bash').parentSpanId).toBe(named('chat claude-sonnet-4-5').spanId);
  });

  test('a step of the user’s is around its turns', async () => {
    const sink = newSink();
    play(sink, [agent({ id: 2, parent: 1, ms: [1, 2] }), custom({ id: 1, ms: [0, 9] })]);
    await sink.flush(5000);
    expect(named('invoke_agent claude').parentSpanId).toBe(named('review-pr').spanId);
  });

  test('user and tags are those of the code that asked for the run', async () => {
    const sink = newSink();
    const run = agent({
      id: 1,
      ms: [0, 9],
      status: 'error',
      outcome: 'max_turns',
      error: { type: 'max_turns', message: '' },
    });
    Sentry.withIsolationScope((scope) => {
      scope.setUser({ id: 'ada' });
      start(sink, run);
    });
    end(sink, run);
    await sink.flush(5000);
    expect(endpoint.errors()).toMatchObject([{ user: { id: 'ada' } }]);
  });

  test('what is open at close goes as far as it is known', async () => {
    const sink = newSink();
    start(
      sink,
      agent({ id: 1, ms: [0, 9] }),
      tool({ id: 2, parent: 1, ms: [1, 2] }),
      tool({ id: 3, parent: 1, ms: [1, 2], toolName: 'Read' }),
    );
    end(sink, tool({ id: 3, parent: 1, ms: [1, 2], toolName: 'Read' }));
    await sink.close(5000);
    expect(
      endpoint
        .spans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['execute_tool Read', 'invoke_agent claude']);
    // What nothing needed has not begun in Sentry: of it nothing is known but that it began.
    expect(sink.stats?.()).toEqual({ delivered: 1, queued: 0, dropped: { unended: 2 } });
  });

  test.each([
    [{ status: 401 }, 'http_401', 'Check the DSN given to Sentry.init'],
    [{ status: 413 }, 'http_413', 'capture less'],
    [{ status: 429, headers: { 'retry-after': '1' } }, 'http_429', 'tracesSampleRate'],
    ['refuse', 'ECONNRESET', 'Check the host of the DSN'],
  ] as const)('%j is one line, a rejected flush and counted', async (answer, reason, advice) => {
    endpoint.answer(answer);
    const sink = newSink();
    play(sink, tree('text-and-tool'));
    await expect(sink.flush(5000)).rejects.toThrow(reason);
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^warn sentry: \\d+ spans .*127\\.0\\.0\\.1 \\(${reason}\\).*${advice}`)),
    ]);
    expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { [reason]: 4 } });
  });

  test('a Sentry that hangs costs no more than the deadline', async () => {
    endpoint.answer('hang');
    const sink = newSink();
    play(sink, tree('text-and-tool'));
    await expect(sink.flush(300)).rejects.toThrow('did not take everything within 300 ms');
  });
});

test('of more than 1,000 children Sentry drops the rest, and as many are counted as it reports itself', async () => {
  init({ traceLifecycle: 'static' });
  const sink = newSink();
  const tools = Array.from({ length: 1234 }, (_, index) => tool({ id: index + 2, parent: 1, ms: [index, index + 1] }));
  play(sink, [...tools, agent({ id: 1, ms: [0, 2000] })]);
  await sink.flush(5000);
  expect(endpoint.spans()).toHaveLength(1001);
  expect(sink.stats?.()).toEqual({ delivered: 1001, queued: 0, dropped: { buffer_overflow: 234 } });
});

test('a trace that was not chosen is not sent, and counted', async () => {
  init({ tracesSampler: ({ attributes }) => (attributes?.['gen_ai.agent.name'] === 'chosen' ? 1 : 0) });
  const sink = newSink();
  play(sink, tree('text-and-tool'));
  play(sink, [agent({ id: 20, ms: [0, 1], agentName: 'chosen' })]);
  await sink.flush(5000);
  expect(endpoint.spans().map(({ name }) => name)).toEqual(['invoke_agent chosen']);
  expect(sink.stats?.()).toEqual({ delivered: 1, queued: 0, dropped: { sampled_out: 4 } });
});

test('without tracing one line says so, and failures are errors all the same', async () => {
  Sentry.init({ dsn: endpoint.dsn });
  const sink = newSink();
  expect(Sentry.startSpan({ name: 'request' }, () => sink.ambient?.())).toBeUndefined();
  play(sink, tree('error-and-retry'));
  await sink.flush(5000);
  expect(lines).toEqual([
    expect.stringContaining('no spans arrive (tracing_disabled): call Sentry.init before, with a tracesSampleRate'),
  ]);
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { tracing_disabled: 3 } });
  expect(errors()).toHaveLength(1);
});

const CANARY = 'CANARY-2b6d';

test.each(['static', 'stream'] as const)(
  'no content leaves with Sentry’s own defaults, in spans (%s) or errors',
  async (traceLifecycle) => {
    init({ traceLifecycle });
    const sink = newSink();
    const words = (role: 'user' | 'assistant') => [{ role, content: [{ type: 'text' as const, text: CANARY }] }];
    const error = { type: 'invalid_request_error', message: CANARY };
    const policy = resolveCapture(sink.capture, { environment: {} });
    const spans = [
      llm({
        id: 2,
        parent: 1,
        ms: [0, 1],
        input: words('user'),
        output: words('assistant'),
        systemInstructions: [CANARY],
        status: 'error',
        error,
      }),
      tool({ id: 3, parent: 1, ms: [1, 2], input: { command: CANARY }, output: CANARY, status: 'error', error }),
      agent({ id: 1, ms: [0, 9], cwd: `/home/${CANARY}`, input: words('user'), output: words('assistant') }),
    ];
    play(
      sink,
      spans.map((span) => applyCapture(span, policy)),
    );
    await sink.flush(5000);
    expect(endpoint.spans()).toHaveLength(3);
    expect(errors()).toHaveLength(2);
    expect(endpoint.text()).not.toContain(CANARY);
  },
);
