// A program that has a classic Langfuse client: runs of agents go through it, and may be scored by it.
//   LANGFUSE_PUBLIC_KEY=pk-lf-… LANGFUSE_SECRET_KEY=sk-lf-… node langfuse-client.ts "What is in this folder?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { langfuseAttributes, langfuseClientSink } from '@spanprism/claude-langfuse';
import { createTracing, memorySink } from '@spanprism/core';
import { Langfuse } from 'langfuse';

const client = new Langfuse();
const spans = memorySink();
const tracing = createTracing({ sinks: [langfuseClientSink({ client }), spans], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

await tracing.withAttributes(
  langfuseAttributes({ userId: 'ada', sessionId: 'chat-7', tags: ['example'] }),
  async () => {
    for await (const message of query({ prompt, options })) {
      if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
    }
  },
);
await tracing.close();

const [span] = spans.spans;
if (span !== undefined) client.score({ traceId: span.traceId, name: 'helpful', value: 1 });
await client.shutdownAsync();
