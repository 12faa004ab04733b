// Runs of agents in Datadog, in APM and LLM Observability: DD_API_KEY and DD_SITE, or DD_AGENT_HOST for an Agent with OTLP on.
//   DD_API_KEY=… DD_SITE=datadoghq.eu DD_SERVICE=guide DD_ENV=test node datadog.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { datadog } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

// Prompts and answers may go to LLM Observability; what tools were asked and what they said stays here.
const capture = { prompts: true, outputs: true };
const tracing = createTracing({ sinks: [datadog({ capture })], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

await tracing.withAttributes({ userId: 'ada' }, async () => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
});
await tracing.close();
