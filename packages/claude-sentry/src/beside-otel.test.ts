import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import * as Sentry from '@sentry/node';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing, memorySink, type Sink } from '@spanprism/core';
import { type SentryEndpoint, startSentryEndpoint } from '@spanprism/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sentrySink } from './sentry-sink.ts';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());
afterEach(() => Sentry.close(1000));

type Named = readonly [trace: string, ours: unknown];

/** The ids of a step and the one inside it, by sink. */
async function tracesOf(order: (live: { readonly sentry: Sink; readonly otel: Sink }) => readonly Sink[]) {
  endpoint.clear();
  Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1 });
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const memory = memorySink();
  const sinks = [...order({ sentry: sentrySink(), otel: otelSink({ tracerProvider }) }), memory];
  const tracing = createTracing({ sinks, cliTelemetry: 'off', diag: () => undefined });
  tracing.span('outer', () => tracing.span('inner', () => undefined));
  await tracing.close();
  const otel = exporter.getFinishedSpans().map((span): Named => [span.spanContext().traceId, span.attributes[OURS]]);
  const sentry = endpoint.spans().map(({ traceId, attributes }): Named => [traceId, attributes[OURS]]);
  const [trace, ...others] = new Set(memory.spans.map(({ traceId }) => traceId));
  expect(others).toEqual([]);
  expect([memory.spans.length, otel.length, sentry.length]).toEqual([2, 2, 2]);
  return { trace, otel, sentry };
}

const OURS = 'claude.trace_id';

test('where Sentry is first the trace is Sentry’s, and OpenTelemetry’s spans name it', async () => {
  const { trace, otel, sentry } = await tracesOf((live) => [live.sentry, live.otel]);
  expect(sentry).toEqual([
    [trace, undefined],
    [trace, undefined],
  ]);
  for (const [own, ours] of otel) expect([own === trace, ours]).toEqual([false, trace]);
});

test('where OpenTelemetry is first the trace is its, and Sentry takes the id or, before version 11, names it', async () => {
  const { trace, otel, sentry } = await tracesOf((live) => [live.otel, live.sentry]);
  expect(otel).toEqual([
    [trace, undefined],
    [trace, undefined],
  ]);
  const takesIds = Number.parseInt(Sentry.SDK_VERSION, 10) >= 11;
  for (const [own, ours] of sentry)
    expect([own === trace, ours]).toEqual(takesIds ? [true, undefined] : [false, trace]);
});
