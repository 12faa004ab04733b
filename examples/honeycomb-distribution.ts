// A program on Honeycomb's distribution of OpenTelemetry: the agent's spans join its traces. HONEYCOMB_API_KEY and OTEL_SERVICE_NAME
// say where they go. The distribution is built on OpenTelemetry 1.22, so its API has to be one before 1.9:
//   npm install @honeycombio/opentelemetry-node@0.7.2 @opentelemetry/api@1.8.0 @spanprism/core @spanprism/claude-otlp
//   node honeycomb-distribution.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { HoneycombSDK } from '@honeycombio/opentelemetry-node';
import { trace } from '@opentelemetry/api';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing } from '@spanprism/core';

const honeycomb = new HoneycombSDK({ instrumentations: [] });
honeycomb.start();

const tracing = createTracing({ sinks: [otelSink()], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

await trace.getTracer('guide').startActiveSpan('GET /guide', async (request) => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
  request.end();
});
await tracing.close();
await honeycomb.shutdown();
