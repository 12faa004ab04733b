// What every program here does with the `query` that it has got hold of in its own way. It knows nothing of tracing.
exports.ask = async function ask(query) {
  const { CLAUDE: pathToClaudeCodeExecutable, PROJECT: cwd } = process.env;
  const options = { pathToClaudeCodeExecutable, cwd, model: 'claude-sonnet-4-5', allowedTools: ['Bash'], settingSources: [] };
  for await (const message of query({ prompt: 'Look around', options })) {
    if (message.type === 'result') console.log(message.result);
  }
};
