// A conversation of two turns as one session in Phoenix: `phoenix serve` is enough, PHOENIX_COLLECTOR_ENDPOINT says if it is elsewhere.
//   node phoenix.ts "What is in this folder?" "Which of these would you read first?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { phoenix } from '@spanprism/claude-otlp';
import { createTracing } from '@spanprism/core';

// Phoenix runs on a machine of ours: it may see everything but what is known to be secret, which nobody gets to see.
const tracing = createTracing({ sinks: [phoenix({ project: 'guide', capture: 'full' })], agentName: 'guide' });
await tracing.ready();
const { query } = tracing.wrapSdk(sdk);

const [first = 'What is in this folder?', second = 'Which of these would you read first?'] = process.argv.slice(2);
const allowedTools = ['Read', 'Bash(ls:*)'];

async function ask(prompt: string, resume: Pick<sdk.Options, 'resume'> = {}): Promise<string | undefined> {
  let sessionId: string | undefined;
  for await (const message of query({ prompt, options: { allowedTools, ...resume } })) {
    if (message.type !== 'result') continue;
    if (message.subtype === 'success') console.log(message.result);
    sessionId = message.session_id;
  }
  return sessionId;
}

await tracing.withAttributes({ userId: 'ada', tags: ['example'] }, async () => {
  const resume = await ask(first);
  await ask(second, resume === undefined ? {} : { resume });
});
await tracing.close();
