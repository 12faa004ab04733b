import { query } from '@anthropic-ai/claude-agent-sdk';
import { ask } from './ask.cjs';

export const run = () => ask(query);
