// The same traced program for every lane. It loads nothing itself: what a lane is about is where these modules come from.

/** A program without OpenTelemetry has no spans of its own. */
const plainHost = { sinks: [], step: (_name, run) => run(), spans: () => [] };

/**
 * One query with a tool of this process and a subagent, into memory, over OTLP and, where the host has it, into its
 * OpenTelemetry. Prints what the sinks hold as JSON; the process is left to end by itself.
 */
exports.agentRun = async function agentRun({ sdk, z, core, otlpSink, host = plainHost }) {
  const memory = core.memorySink();
  const tracing = core.createTracing({ sinks: [...host.sinks, memory, otlpSink()] });
  await tracing.ready();
  const { createSdkMcpServer, query, tool } = tracing.wrapSdk(sdk);
  const stock = tool('stock', 'How many are left', { article: z.string() }, ({ article }) =>
    host.step('SELECT stock', async () => ({ content: [{ type: 'text', text: `${article.length} left` }] })),
  );
  const shop = createSdkMcpServer({ name: 'shop', tools: [stock] });
  const options = {
    model: 'claude-sonnet-4-5',
    mcpServers: { shop },
    allowedTools: ['mcp__shop__stock', 'Agent'],
    settingSources: [],
  };
  let answer;
  await host.step('GET /ask', async () => {
    for await (const message of query({ prompt: 'How many lamps?', options })) {
      if (message.type === 'result') answer = message.result;
    }
  });
  await tracing.close();
  const { version } = process;
  const traces = [...new Set(memory.spans.map(({ traceId }) => traceId))];
  const tree = core.treeText(memory.spans);
  console.log(JSON.stringify({ version, answer, tree, traces, otel: host.spans(), stats: tracing.stats() }));
};
