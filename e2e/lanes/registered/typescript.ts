// In a package of CommonJS: the loader for TypeScript makes a `require` of the import.
import { query, type SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { ask } from './ask.cjs';

export type Heard = SDKMessage;
void ask(query);
