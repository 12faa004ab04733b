import { LangfuseSpanProcessor } from '@langfuse/otel';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { applyCapture, type CaptureOptions, resolveCapture, type Sink } from '@spanprism/core';
import { type Collector, listRecordings, openRecording, startCollector } from '@spanprism/testkit';
import { Langfuse } from 'langfuse';
import { describe, expect, test } from 'vitest';
import { canariesIn, type ContentClass } from '../../testkit/src/canary/canaries.ts';
import { plantedRuns } from '../../testkit/src/canary/planted-run.ts';
import { clientBaseUrl, PUBLIC_KEY, SECRET_KEY } from './__fixtures__/fake-langfuse.ts';
import { langfuseClientSink } from './langfuse-client-sink.ts';
import { langfuseDialect } from './langfuse-dialect.ts';
import { langfuseSink } from './langfuse-sink.ts';

const keys = { publicKey: PUBLIC_KEY, secretKey: SECRET_KEY };

/** Each way into Langfuse, with the defaults of Langfuse's own packages. */
const WAYS: Readonly<Record<string, (langfuse: Collector) => Sink>> = {
  langfuseSink: ({ url }) => langfuseSink({ ...keys, baseUrl: url, env: {} }),
  langfuseClientSink: (langfuse) =>
    langfuseClientSink({ client: new Langfuse({ ...keys, baseUrl: clientBaseUrl(langfuse) }) }),
  LangfuseSpanProcessor: ({ url }) => {
    const processor = new LangfuseSpanProcessor({ ...keys, baseUrl: url });
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
    return otelSink({ tracerProvider, dialect: langfuseDialect() });
  },
};

/** The classes of content that arrive when every recording has a canary in all of its content. */
async function arriving(way: string, capture?: CaptureOptions): Promise<readonly ContentClass[]> {
  await using langfuse = await startCollector();
  const sink = WAYS[way]?.(langfuse);
  const policy = resolveCapture(capture, { environment: {} });
  const told = listRecordings().flatMap((name) =>
    plantedRuns(openRecording(name), 'sdk+cli').flatMap((run) => run.told),
  );
  for (const step of told) {
    if (step.type === 'turn-end') sink?.turnEnd?.(step.rootSpanId);
    else if (step.type === 'start') sink?.spanStart?.(applyCapture(step.span, policy));
    else sink?.spanEnd(applyCapture(step.span, policy));
  }
  await sink?.close(20_000);
  expect(langfuse.requests.length).toBeGreaterThan(0);
  return canariesIn(langfuse.bytes());
}

describe.each(Object.keys(WAYS))('through %s', (way) => {
  test('no content of any recording leaves by default', { timeout: 60_000 }, async () => {
    expect(await arriving(way)).toEqual([]);
  });

  test('with full capture it does', { timeout: 60_000 }, async () => {
    const classes = ['prompt', 'output', 'thinking', 'toolInput', 'toolOutput', 'toolError', 'task', 'error'];
    expect(await arriving(way, 'full')).toEqual(expect.arrayContaining(classes));
  });
});
