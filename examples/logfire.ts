// Runs of agents in Pydantic Logfire, live: LOGFIRE_TOKEN says which project, and with it which region.
//   LOGFIRE_TOKEN=pylf_v1_… node logfire.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { logfireSink } from '@spanprism/claude-logfire';
import { createTracing } from '@spanprism/core';

// Prompts and answers may go to Logfire's panels, and what tools were asked; their results and all paths stay here.
const capture = { prompts: true, outputs: true, toolInputs: true };
const tracing = createTracing({ sinks: [logfireSink({ serviceName: 'guide', capture })], agentName: 'guide' });
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
