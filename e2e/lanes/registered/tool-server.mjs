import { createSdkMcpServer, query, tool } from '@anthropic-ai/claude-agent-sdk';

const stock = tool('stock', 'How many are left', {}, async () => ({ content: [{ type: 'text', text: '4 left' }] }));
const shop = createSdkMcpServer({ name: 'shop', tools: [stock] });
const { CLAUDE: pathToClaudeCodeExecutable, PROJECT: cwd } = process.env;
const options = {
  pathToClaudeCodeExecutable,
  cwd,
  model: 'claude-sonnet-4-5',
  mcpServers: { shop },
  allowedTools: ['mcp__shop__stock'],
  settingSources: [],
};
const running = query({ prompt: 'How many lamps?', options });
if (typeof running.interrupt !== 'function') throw new Error('no query of the SDK');
for await (const message of running) if (message.type === 'result') console.log(message.result);
