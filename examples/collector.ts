// Traces to an OpenTelemetry Collector that may be away for a while: what it does not take waits on disk, also for the next start.
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 node collector.ts "What is in this folder?"
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { collector } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

const directory = process.env['SPOOL'] ?? join(tmpdir(), 'guide-spool');
const tracing = createTracing({
  sinks: [
    collector({ serviceName: 'guide', resource: { 'deployment.environment.name': 'test' }, spool: { directory } }),
  ],
  agentName: 'guide',
});
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
for await (const message of query({ prompt, options: { allowedTools: ['Read', 'Bash(ls:*)'] } })) {
  if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
}
await tracing.close();
console.log(JSON.stringify(tracing.stats().sinks));
