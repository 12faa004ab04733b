import { LangfuseSpanProcessor } from '@langfuse/otel';
import { propagateAttributes, setLangfuseTracerProvider, startActiveObservation } from '@langfuse/tracing';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing } from '@spanprism/core';
import { type Collector, hostOf, mockSdk, openRecording, recordedScenarios } from '@spanprism/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { observations, PUBLIC_KEY, SECRET_KEY, startFakeLangfuse } from './__fixtures__/fake-langfuse.ts';
import { langfuseDialect } from './langfuse-dialect.ts';

type ProcessorOptions = ConstructorParameters<typeof LangfuseSpanProcessor>[0];

let langfuse: Collector;
let provider: BasicTracerProvider | undefined;

beforeEach(async () => {
  langfuse = await startFakeLangfuse();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(async () => {
  await provider?.shutdown();
  setLangfuseTracerProvider(null);
  trace.disable();
  context.disable();
  await langfuse.close();
});

/** A program that had Langfuse before it had us, and runs an agent inside an observation of its own. */
async function runInside(options: ProcessorOptions = {}, capture: 'metadata' | 'full' = 'metadata') {
  const processor = new LangfuseSpanProcessor({
    publicKey: PUBLIC_KEY,
    secretKey: SECRET_KEY,
    baseUrl: langfuse.url,
    environment: 'staging',
    ...options,
  });
  provider = new BasicTracerProvider({ spanProcessors: [processor] });
  trace.setGlobalTracerProvider(provider);
  setLangfuseTracerProvider(provider);
  const tracing = createTracing({ sinks: [otelSink({ dialect: langfuseDialect(), capture })], cliTelemetry: 'off' });
  const recording = openRecording('bash-call');
  const sdk = mockSdk({ scenarios: recordedScenarios(recording), times: 'recorded' });
  await propagateAttributes({ userId: 'ada', sessionId: 'chat-7', tags: ['web'] }, () =>
    startActiveObservation('GET /ask', () =>
      tracing.span('review', () => hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} } })),
    ),
  );
  await tracing.close();
  return observations(langfuse.spans());
}

test('the run joins the trace of the program below its own observation, with the fields that the program said', async () => {
  const run = await runInside();
  const named = (name: string) => run.find((one) => one.name === name);
  const agent = run.find(({ type }) => type === 'AGENT');
  expect(named('GET /ask')).toMatchObject({ parentId: undefined });
  // A step of the user's gets through the processor's filter too.
  expect(named('review')).toMatchObject({ type: 'CHAIN', parentId: named('GET /ask')?.id });
  expect(agent?.parentId).toBe(named('review')?.id);
  expect(named('Bash')).toMatchObject({ type: 'TOOL', parentId: agent?.id });
  expect(run.filter(({ type }) => type === 'GENERATION').length).toBeGreaterThan(1);
  expect(new Set(run.map(({ traceId }) => traceId)).size).toBe(1);
  for (const one of run)
    expect(one).toMatchObject({ userId: 'ada', sessionId: 'chat-7', tags: ['web'], environment: 'staging' });
  // The program's own root is the only one.
  const roots = langfuse.spans().filter(({ attributes }) => attributes['langfuse.internal.is_app_root'] === true);
  expect(roots.map(({ name }) => name)).toEqual(['GET /ask']);
});

test('content that is captured goes through the mask of the program, all of it', async () => {
  const run = await runInside({ mask: () => '"masked"' }, 'full');
  const content = run.flatMap(({ name, input, output }) => (name === 'GET /ask' ? [] : [input, output]));
  expect(new Set(content.filter((one) => one !== undefined))).toEqual(new Set(['masked']));
});

test('no content reaches the processor by default', async () => {
  for (const { input, output } of await runInside()) expect([input, output]).toEqual([undefined, undefined]);
});
