import { ask } from './ask.cjs';

const { query } = await import('@anthropic-ai/claude-agent-sdk');
await ask(query);
