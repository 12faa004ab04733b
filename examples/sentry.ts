// Runs of agents in Sentry, and what went wrong in them as errors: SENTRY_DSN says in which project.
//   SENTRY_DSN=https://… node sentry.ts "What is in this folder?"
import * as Sentry from '@sentry/node';
import { claudeAgentSdkIntegration } from '@spanprism/claude-sentry';

// Prompts and what tools were asked may go to Sentry; answers and results of tools stay here.
Sentry.init({
  tracesSampleRate: 1,
  integrations: [claudeAgentSdkIntegration({ agentName: 'guide', recordInputs: true })],
});

// Loaded after Sentry.init, the SDK is traced by itself; in a program of its own, that goes into `node --import ./instrument.mjs`.
const { query } = await import('@anthropic-ai/claude-agent-sdk');

const prompt = process.argv[2] ?? 'What is in this folder?';
const options = { allowedTools: ['Read', 'Bash(ls:*)'] };

Sentry.setUser({ id: 'ada' });
await Sentry.startSpan({ name: 'guide', op: 'task' }, async () => {
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
});
// Waits for what the agent has still to tell.
await Sentry.close(5_000);
