import { query } from '@anthropic-ai/claude-agent-sdk';
import { ask } from './ask.cjs';

await ask(query);
