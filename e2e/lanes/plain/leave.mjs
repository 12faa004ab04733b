// A program that leaves in the way it is told (`LEAVE`), at the first message of a type (`AT`). `SPOOL` names a folder for
// what could not be delivered, `SINK` the way there; `UNTRACED` makes it the program that it would be without tracing.
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { createTracing } from '@spanprism/core';
import { sinkNamed } from './sinks.mjs';

const { AT, LEAVE, SINK, SPOOL, UNTRACED } = process.env;

const LEAVING = {
  'process.exit(0)': () => process.exit(0),
  'process.exit(7)': () => process.exit(7),
  'a throw': () => {
    throw new Error('of the program itself');
  },
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  'its natural end': () => undefined,
};

async function traced() {
  // Closed by nobody: that is what this is about.
  const tracing = createTracing({ sinks: [await sinkNamed(SINK, SPOOL)] });
  await tracing.ready();
  return tracing.wrapSdk(sdk);
}

const { query } = UNTRACED === undefined ? await traced() : sdk;
const options = { model: 'claude-sonnet-4-5', allowedTools: ['Bash'], settingSources: [] };
for await (const message of query({ prompt: 'Look around', options })) {
  if (message.type === AT) LEAVING[LEAVE]();
}
