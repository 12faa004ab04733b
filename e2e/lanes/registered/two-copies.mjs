import { createRequire } from 'node:module';
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { ask } from './ask.cjs';

// One copy under `other/`, imported by a module there and required from here.
const other = await import('./other/sdk.mjs');
const required = createRequire(new URL('other/', import.meta.url))('@anthropic-ai/claude-agent-sdk');
if (other.tool === sdk.tool) throw new Error('there is one copy alone');
if (required.query !== other.query) throw new Error('one copy is wrapped twice');
await ask(sdk.query);
await ask(other.query);
