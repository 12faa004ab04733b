// The same program for both majors of Sentry: a query with a tool of this process that fails, and a subagent, below a span of its own.
exports.sentryRun = async function sentryRun({ Sentry, sdk, z, createTracing, sentrySink }) {
  Sentry.init({ tracesSampleRate: 1, traceLifecycle: process.env.TRACE_LIFECYCLE });
  const tracing = createTracing({ sinks: [sentrySink()] });
  await tracing.ready();
  const { createSdkMcpServer, query, tool } = tracing.wrapSdk(sdk);
  const stock = tool('stock', 'How many are left', { article: z.string() }, ({ article }) =>
    Sentry.startSpan({ name: 'SELECT stock', op: 'db' }, async () => {
      if (article === 'lamps') throw new Error('no such article');
      return { content: [{ type: 'text', text: `${article.length} left` }] };
    }),
  );
  const options = {
    model: 'claude-sonnet-4-5',
    mcpServers: { shop: createSdkMcpServer({ name: 'shop', tools: [stock] }) },
    allowedTools: ['mcp__shop__stock', 'Agent'],
    settingSources: [],
  };
  let answer;
  await Sentry.startSpan({ name: 'GET /ask', op: 'http.server' }, async () => {
    for await (const message of query({ prompt: 'How many lamps?', options })) {
      if (message.type === 'result') answer = message.result;
    }
  });
  await tracing.close();
  await Sentry.close(5_000);
  console.log(JSON.stringify({ version: Sentry.SDK_VERSION, answer, stats: tracing.stats() }));
};
