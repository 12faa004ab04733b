// Runs of agents in Grafana Cloud's Tempo, the steps of the program around them: zone, instance and token are those of the stack.
//   GRAFANA_CLOUD_ZONE=prod-eu-west-2 GRAFANA_CLOUD_INSTANCE_ID=… GRAFANA_CLOUD_API_KEY=glc_… node grafana.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { grafanaCloud } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

const sink = grafanaCloud({ serviceName: 'guide', resource: { 'deployment.environment.name': 'test' } });
const tracing = createTracing({ sinks: [sink], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

await tracing.span('guide a visitor', async () => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
});
await tracing.close();
