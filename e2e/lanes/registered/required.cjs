const { query } = require('@anthropic-ai/claude-agent-sdk');
const { ask } = require('./ask.cjs');

ask(query);
