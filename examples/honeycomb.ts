// Runs of agents in Honeycomb: HONEYCOMB_API_KEY is an ingest key, OTEL_SERVICE_NAME the dataset.
//   HONEYCOMB_API_KEY=hcaik_… OTEL_SERVICE_NAME=guide node honeycomb.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { honeycomb } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

// Figures alone, and which commands were run; an environment in the EU has the region "eu".
const capture = { toolInputs: (tool: string) => tool === 'Bash' };
const tracing = createTracing({ sinks: [honeycomb({ region: 'us', capture })], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

// Columns of your own, to break down by.
await tracing.withAttributes({ userId: 'ada', 'app.plan': 'pro' }, async () => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
});
await tracing.close();
