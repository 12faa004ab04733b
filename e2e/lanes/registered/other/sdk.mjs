export * from '@anthropic-ai/claude-agent-sdk';
