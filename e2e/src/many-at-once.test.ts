import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { otlpSink } from '@spanprism/claude-otlp';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing, memorySink, type Sink, type Span, type Tracing, treeText } from '@spanprism/core';
import { hostOf, mockSdk, openRecording, recordedScenarios, type Recording, startCollector } from '@spanprism/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { canariesIn, planted } from '../../packages/testkit/src/canary/canaries.ts';
import { plantRecording } from '../../packages/testkit/src/canary/planted-run.ts';
import { readTree } from '../../packages/testkit/src/replay/expectation.ts';
import { type Backend, expected, hostTracing, type Row, shown, startBackends } from './many-backends.ts';

const RECORDINGS = [
  'background-subagent',
  'failing-tools',
  'forwarded-subagent',
  'host-denies',
  'partials-with-thinking',
  'three-turns',
];
const OPTIONS = { includePartialMessages: true, forwardSubagentText: true };

/** Plays recordings at their own pace, all at once, until nothing is open any more; what their consumers got. */
async function play(tracing: Tracing, recordings: readonly Recording[], env = {}) {
  const consumed = await Promise.all(
    recordings.map((recording) => {
      const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
      return hostOf(recording, tracing.wrapSdk(sdk), { options: { ...OPTIONS, env }, timeScale: 1 });
    }),
  );
  await expect.poll(() => tracing.stats().queries.open, { timeout: 20_000 }).toBe(0);
  return consumed;
}

/** With a canary in every content, the prompts that the host gives too. */
function plantedRecording(name: string): Recording {
  const recording = plantRecording(openRecording(name));
  const driverEvents = recording.driverEvents.map((event) => {
    const { prompt } = event.fields;
    const isText = typeof prompt === 'string' && prompt !== '(async iterable)';
    return isText ? { ...event, fields: { ...event.fields, prompt: planted(prompt, 'prompt') } } : event;
  });
  return { ...recording, driverEvents };
}

const sorted = (rows: readonly Row[]): readonly string[] => rows.map((row) => JSON.stringify(row)).toSorted();

test('each gets every span once, in its own words, with its own content, in the trace that the first live one opened', async () => {
  await using stack = new AsyncDisposableStack();
  const backends: Readonly<Record<string, Backend>> = await startBackends(stack);
  const memory = memorySink();
  const sinks = [memory, ...Object.values(backends).map(({ sink }) => sink)];
  const tracing = createTracing({ sinks, diag: () => undefined });
  await tracing.ready();
  await play(tracing, RECORDINGS.map(plantedRecording));
  await tracing.close();

  expect(memory.spans.length).toBeGreaterThan(30);
  expect(memory.spans.filter(({ traceId }) => !traceId.startsWith('0e1'))).toEqual([]);
  for (const [name, backend] of Object.entries(backends)) {
    expect(sorted(shown(backend)), name).toEqual(sorted(expected(backend, memory.spans)));
    expect(canariesIn(backend.arrived()), name).toEqual(backend.mayHave);
  }
  const all = { delivered: memory.spans.length, queued: 0, dropped: {} };
  expect(tracing.stats()).toMatchObject({
    caught: 0,
    sinks: Object.fromEntries(Object.keys(backends).map((name) => [name, all])),
  });
});

const fail = (): never => {
  throw new Error('of the sink');
};

/** Fails in everything that it is asked. */
const throwing: Sink = {
  name: 'throwing',
  spanStart: fail,
  spanEnd: fail,
  turnEnd: fail,
  metrics: fail,
  ambient: fail,
  activate: fail,
  stats: fail,
  flush: fail,
  close: fail,
};

const never = (): Promise<never> => new Promise(() => undefined);

/** Takes everything and never comes back. */
const stuck: Sink = {
  name: 'stuck',
  spanEnd: never as Sink['spanEnd'],
  turnEnd: never as never,
  flush: never,
  close: never,
};

/** Recordings tell their runs apart by the session. */
const ofRecording = (spans: readonly Span[], { messages }: Recording): readonly Span[] => {
  const sessions = new Set(messages.map(({ message }) => message['session_id']));
  return spans.filter(({ sessionId }) => sessions.has(sessionId));
};

test('one that hangs, one that refuses, one that throws and one that never comes back cost the others nothing', async () => {
  await using stack = new AsyncDisposableStack();
  const backends: Readonly<Record<string, Backend>> = await startBackends(stack);
  const silent = stack.use(await startCollector());
  silent.behave({ kind: 'hang' });
  const { url: nobody, close } = await startCollector();
  await close();
  const lines: string[] = [];
  const memory = memorySink();
  const tracing = createTracing({
    // In front of the others, where they would be in their way.
    sinks: [
      throwing,
      stuck,
      otlpSink({ name: 'hanging', endpoint: silent.url, metrics: false, environment: {} }),
      otlpSink({ name: 'refused', endpoint: nobody, metrics: false, environment: {} }),
      memory,
      ...Object.values(backends).map(({ sink }) => sink),
    ],
    agentName: 'main',
    diag: (level, message) => void lines.push(`${level} ${message}`),
  });
  await tracing.ready();
  const recordings = RECORDINGS.map((name) => openRecording(name));
  const consumed = await play(tracing, recordings);

  for (const [index, recording] of recordings.entries()) {
    // The mock gives its messages new times; their ids stay.
    const ids = consumed[index]?.flatMap(({ messages }) => messages.map((message) => message['uuid']));
    expect(ids).toEqual(recording.messages.map(({ message }) => message['uuid']));
    expect(treeText(ofRecording(memory.spans, recording))).toBe(readTree(recording.name));
  }
  await expect(tracing.flush(2_000)).rejects.toThrow('4 sinks did not flush');
  // Nothing has been answered there yet, and the others have it all, as it ended.
  expect(silent.requests.length).toBeGreaterThan(0);
  for (const [name, backend] of Object.entries(backends)) {
    const isInOrder = backend.ids === 'ours';
    const order = isInOrder ? (rows: readonly Row[]) => rows : sorted;
    expect(order(shown(backend)), name).toEqual(order(expected(backend, memory.spans)));
  }
  await tracing.close(100);
  const { sinks, caught } = tracing.stats();
  expect(caught).toBeGreaterThan(memory.spans.length);
  const all = { delivered: memory.spans.length, queued: 0, dropped: {} };
  expect(sinks).toMatchObject(Object.fromEntries(Object.keys(backends).map((name) => [name, all])));
  for (const name of ['hanging', 'refused']) {
    const { delivered, dropped } = sinks[name] ?? fail();
    const lost = Object.values(dropped).reduce((sum, spans) => sum + spans, 0);
    expect({ name, delivered, lost }).toEqual({ name, delivered: 0, lost: memory.spans.length });
  }
  const named = /throwing|stuck|hanging|refused|flush|close|not delivered/;
  expect(lines.filter((line) => !named.test(line))).toEqual([]);
});

describe('the trace', () => {
  afterEach(() => context.disable());

  /** What every backend has as the traces of one recorded run, and what the consumer of spans is told. */
  async function tracesOf(
    choose: (backends: Awaited<ReturnType<typeof startBackends>>) => readonly Backend[],
    env = {},
  ) {
    await using stack = new AsyncDisposableStack();
    const backends = choose(await startBackends(stack));
    const memory = memorySink();
    const tracing = createTracing({ sinks: [...backends.map(({ sink }) => sink), memory], diag: () => undefined });
    await tracing.ready();
    await play(tracing, [openRecording('three-turns')], env);
    await tracing.close();
    const told = [...new Set(memory.spans.map(({ traceId }) => traceId))].toSorted();
    for (const backend of backends) {
      const { rows, tracesOfRunning = () => [] } = backend;
      const traces = new Set([...rows().map(({ traceId }) => traceId), ...tracesOfRunning()]);
      expect([...traces].toSorted()).toEqual(told);
    }
    return told;
  }

  test('is ours where nobody opens one, a new one per turn', async () => {
    const traces = await tracesOf(({ otlp, phoenix, langfuse, logfire }) => [otlp, phoenix, langfuse, logfire]);
    expect(traces).toHaveLength(3);
    expect(traces.filter((id) => id.startsWith('0e1'))).toEqual([]);
  });

  test('is that of the live sink on OpenTelemetry, wherever it stands in the list', async () => {
    const traces = await tracesOf(({ otlp, langfuse, logfire, otel }) => [logfire, otlp, langfuse, otel]);
    expect(traces).toHaveLength(3);
    expect(traces.filter((id) => !id.startsWith('0e1'))).toEqual([]);
  });

  test('is Sentry’s where that comes first, and OpenTelemetry’s where that does', async () => {
    const sentryFirst = await tracesOf(({ sentry, otlp, phoenix }) => [otlp, sentry, phoenix]);
    expect(sentryFirst.filter((id) => id.startsWith('0e1'))).toEqual([]);
    const otelFirst = await tracesOf(({ sentry, otel, otlp }) => [otel, otlp, sentry]);
    expect(otelFirst.filter((id) => !id.startsWith('0e1'))).toEqual([]);
  });

  test('is the one that TRACEPARENT names, in all of them', async () => {
    const TRACEPARENT = '00-11111111111111111111111111111111-2222222222222222-01';
    const choose = ({ otlp, phoenix, langfuse, logfire, otel, sentry }: Awaited<ReturnType<typeof startBackends>>) => [
      ...[otlp, phoenix, langfuse],
      ...[logfire, otel, sentry],
    ];
    expect(await tracesOf(choose, { TRACEPARENT })).toEqual(['1'.repeat(32)]);
  });

  test('is that of the span that is active in the host, in those without a tracer too', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { tracerProvider } = hostTracing();
    const request = tracerProvider.getTracer('host').startSpan('GET /ask');
    const traces = await context.with(trace.setSpan(context.active(), request), () =>
      tracesOf(({ otlp, phoenix, langfuse, logfire, otel }) => [otlp, otel, phoenix, langfuse, logfire]),
    );
    expect(traces).toEqual([request.spanContext().traceId]);
  });

  test('that another live sink insists on names ours', async () => {
    await using collector = await startCollector();
    const [first, second] = [hostTracing(), hostTracing()];
    const tracing = createTracing({
      sinks: [
        otelSink({ name: 'first', tracerProvider: first.tracerProvider }),
        otelSink({ name: 'second', tracerProvider: second.tracerProvider }),
        otlpSink({ endpoint: collector.url, environment: {} }),
      ],
      diag: () => undefined,
    });
    await tracing.ready();
    await play(tracing, [openRecording('failing-tools')]);
    await tracing.close();
    const [ours, ...others] = new Set(collector.spans().map(({ traceId }) => traceId));
    expect(others).toEqual([]);
    const finished = first.exporter.getFinishedSpans();
    expect(new Set(finished.map((span) => span.spanContext().traceId))).toEqual(new Set([ours]));
    const insisting = second.exporter.getFinishedSpans();
    expect(insisting).toHaveLength(finished.length);
    const told = insisting.map((span) => [span.spanContext().traceId === ours, span.attributes['claude.trace_id']]);
    for (const [isSame, named] of told) expect(isSame || named === ours).toBe(true);
  });
});
