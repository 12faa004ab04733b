// Traces to an OpenTelemetry collector, or to any backend that takes OTLP: OTEL_EXPORTER_OTLP_ENDPOINT says where.
//   node otlp.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { otlpSink } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

const tracing = createTracing({ sinks: [otlpSink()], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

await tracing.withAttributes({ userId: 'ada', tags: ['example'] }, async () => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
});
await tracing.close();
