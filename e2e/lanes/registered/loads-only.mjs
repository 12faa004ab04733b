// Loads the SDK and never calls it.
import { query } from '@anthropic-ai/claude-agent-sdk';

console.log(typeof query);
