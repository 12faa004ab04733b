// One trace in four places, in the words of each, and to each what it may see. The keys are in HONEYCOMB_API_KEY, LOGFIRE_TOKEN,
// LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY; a Phoenix runs on this machine.   node many-at-once.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { langfuseSink } from '@spanprism/claude-langfuse';
import { logfireSink } from '@spanprism/claude-logfire';
import { honeycomb, phoenix } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

const tracing = createTracing({
  sinks: [
    honeycomb({ serviceName: 'guide' }), // figures alone
    logfireSink({ serviceName: 'guide', capture: { toolInputs: true } }),
    langfuseSink({ capture: { prompts: true, outputs: true } }),
    phoenix({ project: 'guide', capture: 'full' }), // it does not leave this machine
  ],
  agentName: 'guide',
});
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

for await (const message of query({ prompt, options })) {
  if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
}
await tracing.close();
console.log(JSON.stringify(tracing.stats().sinks)); // what each has taken; one that does not answer costs the others nothing
