const sdk = require('@anthropic-ai/claude-agent-sdk/core');
const { ask } = require('./ask.cjs');

ask(sdk.query);
