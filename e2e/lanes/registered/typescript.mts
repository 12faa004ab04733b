import { query, type SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { ask } from './ask.cjs';

export type Heard = SDKMessage;
await ask(query);
