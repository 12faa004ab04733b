// Runs of agents in Langfuse: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, and LANGFUSE_BASE_URL for another region than the EU.
//   node langfuse-callback.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { langfuseCallback } from '@spanprism/claude-langfuse';

// Prompts and answers may go to Langfuse, and what tools were asked; their results and all paths stay here.
const capture = { prompts: true, outputs: true, toolInputs: true };
const trace = { userId: 'ada', sessionId: 'chat-7', tags: ['example'], traceName: 'guide', metadata: { plan: 'pro' } };
const tracing = langfuseCallback({ ...trace, capture, agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

for await (const message of query({ prompt, options })) {
  if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
}
await tracing.close();
