import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTracing } from '@spanprism/core';
import type { CapturedSpan, MetricPoint, Sink, TraceId } from '@spanprism/core';
import { startCollector } from '@spanprism/testkit';
import type { Collector } from '@spanprism/testkit';
import { agent, at, llm, SAMPLE_TRACES, spanId, traceId } from '@spanprism/testkit/samples';
import { genaiDialect } from '@spanprism/core/dialect';
import { otlpSink } from './otlp-sink.ts';
import type { OtlpSinkOptions } from './otlp-sink.ts';
import { suppressTracing } from '@spanprism/core/otlp';

let collector: Collector;
let said: string[];

beforeEach(async () => {
  collector = await startCollector();
  said = [];
});

afterEach(async () => {
  await collector.close();
});

function sinkTo(options: OtlpSinkOptions = {}): Sink {
  const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  return otlpSink({ endpoint: collector.url, environment: {}, diag, ...options });
}

const DEADLINE_MS = 5000;
const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

describe.each(['http/protobuf', 'http/json'] as const)('over %s', (protocol) => {
  test.each(Object.entries(SAMPLE_TRACES))('%s arrives whole, as the dialect spells it', async (_, spans) => {
    const sink = sinkTo({ protocol });
    for (const span of spans) sink.spanEnd(span);
    await sink.close(DEADLINE_MS);
    const dialect = genaiDialect();
    const wanted = spans.map((span) => ({
      traceId: span.traceId,
      spanId: span.spanId,
      ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
      name: dialect.spanName(span),
      kind: KINDS[dialect.spanKind(span)],
      startedAt: span.startedAt,
      endedAt: span.endedAt,
      attributes: dialect.attributes(span),
      events: dialect.events(span),
      links: dialect.links(span).map((link) => ({ traceId: span.traceId, ...link })),
      status: { code: span.status === 'error' ? 2 : 0, message: dialect.status(span).message ?? '' },
      resource: {
        'service.name': 'claude-agents',
        'telemetry.sdk.name': 'spanprism',
        'telemetry.sdk.language': 'nodejs',
      },
      scope: { name: '@spanprism/claude-otlp', version: '' },
    }));
    expect(collector.spans()).toEqual(wanted);
    expect(collector.requests.map((request) => request.protocol)).not.toContain(
      protocol === 'http/json' ? 'http/protobuf' : 'http/json',
    );
  });

  test('tokens of a call are measured, and sent to their own path', async () => {
    const sink = sinkTo({ protocol });
    const usage = { inputTokens: 130_213, outputTokens: 210 };
    for (const id of [1, 2]) sink.spanEnd(llm({ id, ms: [0, 1000], usage }));
    await sink.close(DEADLINE_MS);
    const tokens = collector.metrics().find((metric) => metric.name === 'gen_ai.client.token.usage');
    expect(tokens).toMatchObject({ unit: '{token}', kind: 'histogram', temporality: 2 });
    expect(
      tokens?.points.map(({ attributes, count, sum }) => [attributes['gen_ai.token.type'], Number(count), sum]),
    ).toEqual([
      ['input', 2, 260_426],
      ['output', 2, 420],
    ]);
    expect(collector.requests.map((request) => request.path).sort()).toEqual(['/v1/metrics', '/v1/traces']);
  });
});

test('metrics of others are passed on unchanged', async () => {
  const sink = sinkTo();
  const base = { unit: '1', startedAt: at(0), at: at(1000), attributes: { type: 'added' } };
  const points: MetricPoint[] = [
    {
      ...base,
      name: 'claude_code.lines_of_code.count',
      data: { type: 'sum', value: 3, isMonotonic: true, temporality: 'delta' },
    },
    {
      ...base,
      name: 'claude_code.lines_of_code.count',
      attributes: { type: 'removed' },
      data: { type: 'sum', value: 1.5, isMonotonic: true, temporality: 'delta' },
    },
    { ...base, name: 'claude_code.load', description: 'Load', data: { type: 'gauge', value: 0.25 } },
    {
      ...base,
      name: 'h',
      data: { type: 'histogram', count: 3, sum: 7, bounds: [1, 5], bucketCounts: [1, 1, 1], temporality: 'cumulative' },
    },
  ];
  sink.metrics?.(points);
  await sink.close(DEADLINE_MS);
  const arrived = collector.metrics().map(({ name, kind, temporality, isMonotonic, description, points: all }) => ({
    name,
    kind,
    temporality,
    isMonotonic,
    description,
    points: all.map(({ value, count, sum, bucketCounts, bounds, startedAt, attributes }) => [
      attributes['type'],
      startedAt,
      value ?? [Number(count), sum, bucketCounts?.map(Number), bounds],
    ]),
  }));
  expect(arrived).toEqual([
    {
      name: 'claude_code.lines_of_code.count',
      kind: 'sum',
      temporality: 1,
      isMonotonic: true,
      description: '',
      points: [
        ['added', at(0), 3],
        ['removed', at(0), 1.5],
      ],
    },
    {
      name: 'claude_code.load',
      kind: 'gauge',
      temporality: 0,
      isMonotonic: false,
      description: 'Load',
      points: [['added', at(0), 0.25]],
    },
    {
      name: 'h',
      kind: 'histogram',
      temporality: 2,
      isMonotonic: false,
      description: '',
      points: [['added', at(0), [3, 7, [1, 1, 1], [1, 5]]]],
    },
  ]);
});

test('traces that are not sampled are not sent, but counted and measured', async () => {
  const sink = sinkTo({ sampler: { type: 'traceidratio', ratio: 0.5 } });
  const low = traceId(1);
  const high = `${'0'.repeat(18)}${'f'.repeat(14)}` as TraceId;
  for (const trace of [low, high]) {
    sink.spanEnd(llm({ id: 2, parent: 1, ms: [0, 5], traceId: trace, usage: { inputTokens: 1 } }));
    sink.spanEnd(agent({ id: 1, ms: [0, 9], traceId: trace }));
  }
  await sink.close(DEADLINE_MS);
  expect(collector.spans().map((span) => span.traceId)).toEqual([high, high]);
  expect(sink.stats?.()).toEqual({ delivered: 2, queued: 0, dropped: { sampled_out: 2 } });
  const tokens = collector.metrics().find((metric) => metric.name === 'gen_ai.client.token.usage');
  expect(tokens?.points.map((point) => Number(point.count))).toEqual([2]);
});

test('a parent in another process is said to be one', async () => {
  const sink = sinkTo({ protocol: 'http/json' });
  sink.spanEnd({ ...agent({ id: 1, parent: 7, ms: [0, 1] }), parentIsRemote: true } as CapturedSpan);
  sink.spanEnd(llm({ id: 2, parent: 1, ms: [0, 1] }));
  await sink.close(DEADLINE_MS);
  const body = JSON.stringify(collector.requests.find((request) => request.signal === 'traces')?.decoded);
  expect(body.match(/"flags":\d+/g)).toEqual(['"flags":769', '"flags":257']);
  expect(collector.spans()[0]?.parentSpanId).toBe(spanId(7));
});

test('headers, service and path of the environment are used', async () => {
  const sink = otlpSink({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/otlp`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
      OTEL_SERVICE_NAME: 'reviewer',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    },
  });
  sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
  await sink.close(DEADLINE_MS);
  const [request] = collector.requests;
  expect(request).toMatchObject({ path: '/otlp/v1/traces', headers: { authorization: 'Bearer abc' } });
  expect(request?.headers).not.toHaveProperty('content-encoding');
  expect(collector.spans()[0]?.resource['service.name']).toBe('reviewer');
});

test('a backend for traces alone costs one line, and no flush fails for it', async () => {
  collector.behave({ kind: 'status', status: 404 }, { signal: 'metrics' });
  const sink = sinkTo();
  for (let turn = 0; turn < 3; turn += 1) {
    sink.spanEnd(llm({ id: turn + 1, ms: [0, 5], usage: { inputTokens: 1 } }));
    await sink.flush(DEADLINE_MS);
  }
  await sink.close(DEADLINE_MS);
  expect(collector.requests.filter((request) => request.signal === 'metrics')).toHaveLength(1);
  expect(sink.stats?.()).toEqual({ delivered: 3, queued: 0, dropped: { metrics_http_404: 1 } });
  expect(said.filter((line) => line.startsWith('info: otlp metrics:'))).toHaveLength(1);
});

test('a backend that is said to take metrics, and does not, fails the flush', async () => {
  collector.behave({ kind: 'status', status: 404 }, { signal: 'metrics' });
  const sink = sinkTo({ metrics: true });
  sink.spanEnd(llm({ id: 1, ms: [0, 5], usage: { inputTokens: 1 } }));
  await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('404');
  await sink.close(DEADLINE_MS);
});

test('a backend that refuses spans fails the flush, and the key is not in what is said', async () => {
  collector.behave({ kind: 'status', status: 401, body: 'no: secret-key-1' }, { signal: 'traces' });
  const sink = sinkTo({ headers: { 'x-key': 'secret-key-1' }, metrics: false });
  sink.spanEnd(agent({ id: 1, ms: [0, 5] }));
  await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('401');
  expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { http_401: 1 } });
  expect(said.join('\n')).toContain('401');
  expect(said.join('\n')).not.toContain('secret-key-1');
  await sink.close(DEADLINE_MS);
});

test('partial success is counted', async () => {
  collector.behave({ kind: 'partialSuccess', rejected: 1, message: 'span too old' }, { signal: 'traces' });
  const sink = sinkTo({ metrics: false });
  for (const id of [1, 2]) sink.spanEnd(agent({ id, ms: [0, 5] }));
  await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('rejected 1 of 2 records');
  expect(sink.stats?.().delivered).toBe(1);
  expect(said.join('\n')).toContain('span too old');
  await sink.close(DEADLINE_MS);
});

test('switched off by the environment it sends nothing and says so in its figures', async () => {
  const sink = sinkTo({ environment: { OTEL_SDK_DISABLED: 'true' } });
  sink.spanEnd(agent({ id: 1, ms: [0, 5] }));
  sink.metrics?.([]);
  await sink.close(DEADLINE_MS);
  expect(collector.requests).toHaveLength(0);
  expect(sink.stats?.().dropped).toEqual({ sdk_disabled: 1 });
});

test('every span of a turn is sent in its own policy’s words: what capture is set on the sink', () => {
  expect(sinkTo({ capture: 'full' }).capture).toBe('full');
  expect(sinkTo()).not.toHaveProperty('capture');
});

test('our own requests are hidden from the host’s instrumentation', () => {
  const suppressed = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');
  expect(suppressTracing(() => 'without a host')).toBe('without a host');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  try {
    expect(suppressTracing(() => context.active().getValue(suppressed))).toBe(true);
    expect(context.active().getValue(suppressed)).toBeUndefined();
  } finally {
    context.disable();
    trace.disable();
  }
});

test('what a sink has to say goes where createTracing says, though the sink was made before', async () => {
  collector.behave({ kind: 'status', status: 401 });
  const sink = otlpSink({ endpoint: collector.url, environment: {}, metrics: false });
  const tracing = createTracing({
    sinks: [sink],
    cliTelemetry: 'off',
    diag: (level, message) => void said.push(`${level}: ${message}`),
  });
  await tracing.span('step', async () => undefined);
  await tracing.close(DEADLINE_MS);
  expect(said).toContainEqual(expect.stringMatching(/^error: otlp: .*answered 401/));
});

describe('one fault of a backend that takes traces and metrics is one line, until after close()', () => {
  const spans = [agent({ id: 1, ms: [0, 9] }), llm({ id: 2, parent: 1, ms: [0, 5], usage: { inputTokens: 1 } })];

  test.each([
    ['401', { kind: 'status', status: 401 }, /^error: otlp.* answered 401\. Check the key/],
    ['403', { kind: 'status', status: 403 }, /^error: otlp.* answered 403\. Check the key/],
    ['404', { kind: 'status', status: 404 }, /^error: otlp.*\/v1\/traces answered 404\. .*full URL/],
    ['413', { kind: 'status', status: 413 }, /^error: otlp.* answered 413\. .*capture less/],
    ['a cut connection', { kind: 'refuse' }, /^warn: otlp.* cannot be reached .* is lost\.$/],
    ['no answer', { kind: 'hang' }, /^warn: not everything was delivered .* did not answer in time\.$/],
  ] as const)('%s', async (_, behaviour, line) => {
    collector.behave(behaviour);
    const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);
    const sink = otlpSink({ endpoint: collector.url, environment: {} });
    const tracing = createTracing({ sinks: [sink], cliTelemetry: 'off', diag });
    for (const span of spans) sink.spanEnd(span);
    await tracing.close(300);
    expect(said).toEqual([expect.stringMatching(line)]);
    expect(collector.requests.map(({ signal }) => signal)).toEqual(expect.arrayContaining(['traces', 'metrics']));
  });

  test('nobody listens', async () => {
    await collector.close();
    const sink = sinkTo();
    for (const span of spans) sink.spanEnd(span);
    await sink.close(300).catch(() => undefined);
    expect(said).toEqual([expect.stringMatching(/^warn: otlp.* cannot be reached \(.*Nothing listens there/)]);
  });
});
