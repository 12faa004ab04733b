// Traces itself, with a sink of its own.
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { createTracing, memorySink } from '@spanprism/core';
import { ask } from './ask.cjs';

const memory = memorySink();
const tracing = createTracing({ sinks: [memory] });
await tracing.ready();
await ask(tracing.wrapSdk(sdk).query);
await tracing.close();
console.log(memory.spans.length);
