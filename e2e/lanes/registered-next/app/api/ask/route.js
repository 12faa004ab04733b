import { query } from '@anthropic-ai/claude-agent-sdk';

export const dynamic = 'force-dynamic';

export async function GET() {
  const { CLAUDE: pathToClaudeCodeExecutable, PROJECT: cwd } = process.env;
  const options = {
    pathToClaudeCodeExecutable,
    cwd,
    model: 'claude-sonnet-4-5',
    allowedTools: ['Bash'],
    settingSources: [],
  };
  let answer;
  for await (const message of query({ prompt: 'Look around', options })) {
    if (message.type === 'result') answer = message.result;
  }
  return Response.json({ answer });
}
