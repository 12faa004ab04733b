import { context, createContextKey, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import type { Span, TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOnSampler, BasicTracerProvider, ParentBasedSampler } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CapturedSpan, Sink, SpanId, TraceId } from '@spanprism/core';
import { agent, at, custom, llm, SAMPLE_TRACES, spanId, tool, traceId } from '@spanprism/testkit/samples';
import { genaiDialect } from '@spanprism/core/dialect';
import { otelSink } from './otel-sink.ts';

let finished: ReadableSpan[];
let provider: BasicTracerProvider;
let sink: Sink;

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  finished = [];
  // A processor of our own, as those of SDK 2.x and 3.x are made and export differently.
  const recorder: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => void finished.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [recorder],
  });
  sink = otelSink({ tracerProvider: provider });
});

afterEach(async () => {
  context.disable();
  trace.disable();
  await provider.shutdown();
});

function started(span: CapturedSpan, startMs?: number): CapturedSpan {
  const { endedAt: _, ...rest } = span;
  return (startMs === undefined ? rest : { ...rest, startedAt: at(startMs) }) as CapturedSpan;
}

function exported(name: string): ReadableSpan {
  const found = finished.filter((span) => span.name === name);
  expect(found, `spans named ${name}`).toHaveLength(1);
  return found[0] as ReadableSpan;
}

const nanos = ([seconds, rest]: readonly [number, number]): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest);

describe('a whole turn', () => {
  const turn = SAMPLE_TRACES['text-and-tool'] ?? [];

  beforeEach(() => {
    const root = turn.at(-1) as CapturedSpan;
    sink.spanStart?.(started(root));
    for (const span of turn) sink.spanEnd(span);
    sink.turnEnd?.(root.spanId);
  });

  test('arrives with its parents, kinds and exact times', () => {
    const root = exported('invoke_agent weather-bot');
    expect(finished).toHaveLength(turn.length);
    expect(root.parentSpanContext).toBeUndefined();
    const call = finished[0] as ReadableSpan;
    expect(call.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
    expect(call.spanContext().traceId).toBe(root.spanContext().traceId);
    expect([root.kind, call.kind]).toEqual([0, 2]);
    expect([nanos(call.startTime), nanos(call.endTime)]).toEqual([at(420), at(2420)]);
  });

  test('is spelled as the dialect spells it', () => {
    const wanted = genaiDialect().attributes(turn[0] as CapturedSpan);
    expect(finished[0]?.attributes).toEqual({ ...wanted, 'claude.trace_id': traceId(1) });
  });

  test('links a tool to the call that asked for it', () => {
    const [call] = finished;
    const { links } = exported('execute_tool mcp__weather__get_weather');
    expect(links.map((link) => link.context.spanId)).toEqual([call?.spanContext().spanId]);
  });

  test('counts what was handed over', () => {
    expect(sink.stats?.()).toEqual({ delivered: turn.length, queued: 0, dropped: {} });
  });
});

test('a new trace is opened by the host’s provider, and core is told its id at once', () => {
  const given = sink.spanStart?.(started(agent({ id: 1, ms: [0, 10] })));
  expect(given?.sampled).toBe(true);
  sink.spanEnd(agent({ id: 1, ms: [0, 10], traceId: given?.traceId as TraceId }));
  const root = exported('invoke_agent claude');
  expect(root.spanContext()).toMatchObject({ traceId: given?.traceId, spanId: given?.spanId });
  expect(root.attributes).not.toHaveProperty(['claude.trace_id']);
});

test('a trace that another sink opened is named on the spans', () => {
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 10] })));
  sink.spanEnd(agent({ id: 1, ms: [0, 10] }));
  expect(exported('invoke_agent claude').attributes['claude.trace_id']).toBe(traceId(1));
});

test('a span begins as late as it can, with the start that is known by then', () => {
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 100] })));
  sink.spanStart?.(started(tool({ id: 2, parent: 1, ms: [50, 90] })));
  sink.spanEnd(tool({ id: 2, parent: 1, ms: [40.125, 90] }));
  expect(nanos(exported('execute_tool Bash').startTime)).toBe(at(40.125));
});

test('times are exact to the nanosecond', () => {
  const [startedAt, endedAt] = [at(1) + 7n, at(2) + 13n];
  sink.spanEnd({ ...llm({ id: 1, ms: [0, 1] }), startedAt, endedAt } as CapturedSpan);
  const { startTime, endTime } = exported('chat claude-sonnet-4-5');
  expect([nanos(startTime), nanos(endTime)]).toEqual([startedAt, endedAt]);
});

test('a child makes its parent begin, and hangs below it', () => {
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 100] })));
  sink.spanStart?.(started(tool({ id: 2, parent: 1, ms: [40, 90], toolName: 'Agent' })));
  sink.spanStart?.(started(agent({ id: 3, parent: 2, ms: [45, 80], role: 'subagent', agentName: 'Explore' })));
  sink.spanEnd(llm({ id: 4, parent: 3, ms: [46, 70] }));
  sink.spanEnd(agent({ id: 3, parent: 2, ms: [44, 80], role: 'subagent', agentName: 'Explore' }));
  sink.spanEnd(tool({ id: 2, parent: 1, ms: [39, 90], toolName: 'Agent' }));
  const parentOf = (name: string): string | undefined => exported(name).parentSpanContext?.spanId;
  expect(parentOf('chat claude-sonnet-4-5')).toBe(exported('invoke_agent Explore').spanContext().spanId);
  expect(parentOf('invoke_agent Explore')).toBe(exported('execute_tool Agent').spanContext().spanId);
  expect(nanos(exported('execute_tool Agent').startTime)).toBe(at(40));
});

test('the code of a tool runs inside its span, asynchronous code too', async () => {
  const tracer = provider.getTracer('host');
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 100] })));
  sink.spanStart?.(started(tool({ id: 2, parent: 1, ms: [40, 90] })));
  const result = await sink.activate?.(spanId(2), async () => {
    await Promise.resolve();
    tracer.startSpan('query database').end();
    return 'rows';
  });
  sink.spanEnd(tool({ id: 2, parent: 1, ms: [38, 90] }));
  expect(result).toBe('rows');
  const span = exported('execute_tool Bash');
  expect(exported('query database').parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  expect(nanos(span.startTime)).toBe(at(40));
});

test('the code keeps what else its context carries, and a span that is not known leaves it alone', () => {
  const key = createContextKey('tenant');
  sink.spanStart?.(started(tool({ id: 2, ms: [0, 1] })));
  context.with(context.active().setValue(key, 'blue'), () => {
    expect(sink.activate?.(spanId(2), () => context.active().getValue(key))).toBe('blue');
    expect(sink.activate?.(spanId(99), () => trace.getActiveSpan())).toBeUndefined();
  });
});

test('below the host’s active span', () => {
  const host = provider.getTracer('host').startSpan('POST /review');
  context.with(trace.setSpan(context.active(), host), () => {
    const ambient = sink.ambient?.();
    expect(ambient).toEqual({ traceId: host.spanContext().traceId, spanId: host.spanContext().spanId, sampled: true });
    const root = agent({
      id: 1,
      ms: [0, 5],
      traceId: ambient?.traceId as TraceId,
    });
    const placed = { ...root, parentSpanId: ambient?.spanId as SpanId, parentIsRemote: true } as CapturedSpan;
    expect(sink.spanStart?.(started(placed))?.traceId).toBe(host.spanContext().traceId);
    sink.spanEnd(placed);
  });
  expect(exported('invoke_agent claude').parentSpanContext).toMatchObject({ spanId: host.spanContext().spanId });
  expect(exported('invoke_agent claude').parentSpanContext?.isRemote).not.toBe(true);
});

test('nothing is active in the host: no context, and a root of its own whatever becomes active later', () => {
  expect(sink.ambient?.()).toBeUndefined();
  const host = provider.getTracer('host').startSpan('other request');
  context.with(trace.setSpan(context.active(), host), () => sink.spanStart?.(started(agent({ id: 1, ms: [0, 5] }))));
  sink.spanEnd(agent({ id: 1, ms: [0, 5] }));
  expect(exported('invoke_agent claude').parentSpanContext).toBeUndefined();
});

test('below a span of another process, in its trace', () => {
  const root = { ...agent({ id: 1, parent: 77, ms: [0, 5] }), parentIsRemote: true } as CapturedSpan;
  expect(sink.spanStart?.(started(root))?.traceId).toBe(traceId(1));
  sink.spanEnd(root);
  const parent = exported('invoke_agent claude').parentSpanContext;
  expect(parent).toMatchObject({ traceId: traceId(1), spanId: spanId(77), isRemote: true });
});

test('below a host’s span that is not sampled nothing is exported, and it is counted', () => {
  const unsampled = { traceId: traceId(9), spanId: spanId(9), traceFlags: TraceFlags.NONE };
  const place = { parentIsRemote: true, parentSpanId: spanId(9), traceId: traceId(9) };
  context.with(trace.setSpanContext(ROOT_CONTEXT, unsampled), () => {
    expect(sink.ambient?.()).toMatchObject({ sampled: false });
  });
  const root = { ...agent({ id: 1, ms: [0, 5] }), ...place } as CapturedSpan;
  expect(sink.spanStart?.(started(root))).toMatchObject({ traceId: traceId(9), sampled: false });
  sink.spanEnd(llm({ id: 2, parent: 1, ms: [0, 4] }));
  sink.spanEnd(root);
  expect(finished).toHaveLength(0);
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { sampled_out: 2 } });
});

test('without any tracer provider nothing is handed out and everything is counted', () => {
  const lonely = otelSink();
  expect(lonely.spanStart?.(started(agent({ id: 1, ms: [0, 5] })))).toBeUndefined();
  lonely.spanEnd(agent({ id: 1, ms: [0, 5] }));
  expect(lonely.stats?.().dropped).toEqual({ no_tracer_provider: 1 });
});

test('a provider that is registered after the sink was made is used', async () => {
  const early = otelSink();
  trace.setGlobalTracerProvider(provider);
  early.spanStart?.(started(agent({ id: 1, ms: [0, 5] })));
  early.spanEnd(agent({ id: 1, ms: [0, 5] }));
  await early.flush(1000);
  expect(exported('invoke_agent claude').instrumentationScope.name).toBe('@spanprism/claude-otlp');
});

test('a subagent that outlives its turn stays below its tool call, and so does what it does later', () => {
  const subagent = (endMs: number) =>
    agent({ id: 3, parent: 2, ms: [20, endMs], role: 'subagent', agentName: 'reviewer', isSegment: true });
  const turn = (index: number, ms: readonly [number, number]) => agent({ id: index, ms, agentName: `turn-${index}` });
  sink.spanStart?.(started(turn(1, [0, 50])));
  sink.spanStart?.(started(tool({ id: 2, parent: 1, ms: [10, 12], toolName: 'Agent' })));
  sink.spanStart?.(started(subagent(500)));
  sink.spanEnd(tool({ id: 2, parent: 1, ms: [10, 12], toolName: 'Agent', inBackground: true }));
  sink.spanEnd(turn(1, [0, 50]));
  sink.turnEnd?.(spanId(1));
  sink.spanEnd(llm({ id: 4, parent: 3, ms: [100, 200] }));
  sink.spanEnd(subagent(500));
  sink.turnEnd?.(spanId(3));
  const spans = finished;
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  const parentOf = (name: string): string | undefined => exported(name).parentSpanContext?.spanId;
  expect(parentOf('chat claude-sonnet-4-5')).toBe(exported('invoke_agent reviewer').spanContext().spanId);
  expect(parentOf('invoke_agent reviewer')).toBe(exported('execute_tool Agent').spanContext().spanId);
});

test('a subagent that is heard of only after its turn still finds its tool call', () => {
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 50] })));
  sink.spanEnd(tool({ id: 2, parent: 1, ms: [10, 12], toolName: 'Agent', inBackground: true }));
  sink.spanEnd(agent({ id: 1, ms: [0, 50] }));
  sink.turnEnd?.(spanId(1));
  sink.spanStart?.(started(agent({ id: 3, parent: 2, ms: [60, 90], role: 'subagent', agentName: 'late' })));
  sink.spanEnd(agent({ id: 3, parent: 2, ms: [60, 90], role: 'subagent', agentName: 'late' }));
  expect(exported('invoke_agent late').parentSpanContext?.spanId).toBe(
    exported('execute_tool Agent').spanContext().spanId,
  );
});

test('a turn inside a step of the user hangs below the step', () => {
  sink.spanStart?.(started(custom({ id: 1, ms: [0, 100] })));
  sink.spanStart?.(started(agent({ id: 2, parent: 1, ms: [1, 90] })));
  sink.spanEnd(agent({ id: 2, parent: 1, ms: [1, 90] }));
  sink.turnEnd?.(spanId(2));
  sink.spanEnd(custom({ id: 1, ms: [0, 100] }));
  expect(exported('invoke_agent claude').parentSpanContext?.spanId).toBe(exported('review-pr').spanContext().spanId);
});

test('tools hang below the call that asked, or below the agent while that call has not been heard of', () => {
  const nested = otelSink({ tracerProvider: provider, dialect: genaiDialect({ toolParent: 'llm' }) });
  nested.spanStart?.(started(agent({ id: 1, ms: [0, 50] })));
  nested.spanEnd(llm({ id: 2, parent: 1, ms: [0, 9] }));
  nested.spanEnd(tool({ id: 3, parent: 1, ms: [8, 20], toolName: 'Read', requestedByLlmSpanId: spanId(2) }));
  nested.spanEnd(tool({ id: 4, parent: 1, ms: [8, 20], toolName: 'Grep', requestedByLlmSpanId: spanId(5) }));
  nested.spanEnd(agent({ id: 1, ms: [0, 50] }));
  const parentOf = (name: string): string | undefined => exported(name).parentSpanContext?.spanId;
  expect(parentOf('execute_tool Read')).toBe(exported('chat claude-sonnet-4-5').spanContext().spanId);
  expect(parentOf('execute_tool Grep')).toBe(exported('invoke_agent claude').spanContext().spanId);
});

test('failures are errors with their words, and events keep their times', () => {
  for (const span of SAMPLE_TRACES['error-and-retry'] ?? []) sink.spanEnd(span);
  const [retried, failed] = finished;
  expect(retried?.status).toEqual({ code: 0 });
  expect(retried?.events.map(({ name, time }) => [name, nanos(time)])).toEqual([['claude.retry', at(500)]]);
  expect(failed?.status).toEqual({ code: 2, message: 'messages: at least one message is required' });
});

test('close ends what nobody ended, and leaves the host’s provider running', async () => {
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 5] })));
  await sink.close(1000);
  expect(exported('invoke_agent claude').ended).toBe(true);
  expect(sink.stats?.().dropped).toEqual({ unended: 1 });
  provider.getTracer('host').startSpan('still there').end();
  expect(exported('still there').ended).toBe(true);
});

test('a provider that does not flush in time is told of', async () => {
  const stuck = { getTracer: () => provider.getTracer('x'), forceFlush: () => new Promise<void>(() => undefined) };
  await expect(otelSink({ tracerProvider: stuck }).flush(1)).rejects.toThrow('did not flush within 1 ms');
});

test('the reasons of a provider that cannot flush come as one error', async () => {
  const refusing: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => undefined,
    shutdown: () => Promise.resolve(),
    forceFlush: () => Promise.reject(new Error('no route to host')),
  };
  const failing = new BasicTracerProvider({ spanProcessors: [refusing, refusing] });
  const flushed: unknown = await otelSink({ tracerProvider: failing })
    .flush(1000)
    .catch((error: unknown) => error);
  expect(flushed).toBeInstanceOf(Error);
  expect(flushed).toMatchObject({
    message: 'the tracer provider could not flush: no route to host; no route to host',
    cause: [new Error('no route to host'), new Error('no route to host')],
  });
});

test('spans of an OpenTelemetry before API 1.9, which take no links, say the same in an attribute', () => {
  // Its spans have no such method; the real ones are in a lane of the end-to-end tests.
  const older: TracerProvider = {
    getTracer: (name) => {
      const tracer = provider.getTracer(name);
      const withoutLinks = (span: Span): Span => Object.assign(span, { addLink: undefined });
      return Object.assign(Object.create(tracer) as typeof tracer, {
        startSpan: (...given: Parameters<typeof tracer.startSpan>) => withoutLinks(tracer.startSpan(...given)),
      });
    },
  };
  sink = otelSink({ tracerProvider: older });
  for (const span of SAMPLE_TRACES['text-and-tool'] ?? []) sink.spanEnd(span);
  const { links, attributes } = exported('execute_tool mcp__weather__get_weather');
  const asker = finished.find((span) => span.attributes['gen_ai.response.id'] === 'msg_01A');
  expect(links).toEqual([]);
  expect(attributes['claude.linked_span_ids']).toEqual([asker?.spanContext().spanId]);
});

test('a tool that ends before its call has begun is linked to by that call, once', () => {
  const asked = llm({ id: 2, parent: 1, ms: [0, 900] });
  const tools = [3, 4].map((id) => tool({ id, parent: 1, ms: [500, 600], requestedByLlmSpanId: spanId(2) }));
  sink.spanStart?.(started(agent({ id: 1, ms: [0, 1000] })));
  sink.spanStart?.(started(asked));
  for (const span of [...tools, asked, llm({ id: 5, parent: 1, ms: [910, 950] })]) sink.spanEnd(span);
  const [call, next] = finished.filter(({ name }) => name.startsWith('chat '));
  const ends = finished.filter(({ name }) => name.startsWith('execute_tool '));
  expect(ends.map(({ links }) => links)).toEqual([[], []]);
  expect(call?.links).toEqual(
    ends.map((span) => ({ context: span.spanContext(), attributes: { 'claude.link': 'requested' } })),
  );
  expect(next?.links).toEqual([]);
});

test('a span that begins no sooner than it ends is spelled once', () => {
  const dialect = genaiDialect();
  let times = 0;
  const counted = otelSink({
    tracerProvider: provider,
    dialect: {
      ...dialect,
      putAttributes: (span, into) => {
        times += 1;
        dialect.putAttributes?.(span, into);
      },
    },
  });
  counted.spanEnd(llm({ id: 1, ms: [0, 5], usage: { inputTokens: 3 } }));
  expect(times).toBe(1);
  expect(exported('chat claude-sonnet-4-5').attributes['gen_ai.usage.input_tokens']).toBe(3);
});
