// Who is measured: each starts its tracing, wraps the SDK, and can be flushed. Without "to OTLP", spans are made and thrown away.

/** The consumer asks for partial messages and subagents' text himself, so that nobody has to hide anything from him. */
const CONSUMER_OPTIONS = { model: 'claude-sonnet-4-5', includePartialMessages: true, forwardSubagentText: true };

export const contenders = {
  none: async () => ({ wrap: (sdk) => sdk, flush: async () => {} }),
  spanprism: async () => spanprism(nothing()),
  'spanprism to OTLP': async (origin) => spanprism(await otlp(origin)),
  'spanprism to OTLP with content': async (origin) => spanprism(await otlp(origin), 'full'),
  openinference: async () => openinference(noExporter()),
  'openinference to OTLP': async (origin) => {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
    return openinference(new OTLPTraceExporter({ url: `${origin}/v1/traces`, compression: 'gzip' }));
  },
  langsmith,
  braintrust,
};

/** One whole conversation, as a program consumes it. */
export async function consume(sdk) {
  let seen = 0;
  for await (const message of sdk.query({ prompt: 'Tidy up the project.', options: CONSUMER_OPTIONS })) {
    if (message.type !== undefined) seen += 1;
  }
  return seen;
}

async function spanprism(sink, capture = 'metadata') {
  const { createTracing } = await import('../../packages/core/dist/index.js');
  const tracing = createTracing({ sinks: [sink], capture, cliTelemetry: 'off' });
  return {
    wrap: (sdk) => tracing.wrapSdk(sdk),
    flush: () => tracing.flush(60_000),
    close: () => tracing.close(1_000),
    stats: () => tracing.stats(),
  };
}

function nothing() {
  return { name: 'nothing', spanEnd: () => {}, flush: async () => {}, close: async () => {} };
}

async function otlp(origin) {
  const { otlpSink } = await import('../../packages/claude-otlp/dist/index.js');
  return otlpSink({ endpoint: origin, environment: {}, metrics: false });
}

async function openinference(exporter) {
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { ClaudeAgentSDKInstrumentation } = await import('@arizeai/openinference-instrumentation-claude-agent-sdk');
  // Its default queue of 2,048 drops spans when it is not emptied in time, and dropping is cheap.
  const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 200_000 });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const instrumentation = new ClaudeAgentSDKInstrumentation({ tracerProvider: provider });
  return {
    wrap: (sdk) => {
      const wrapped = instrumentation.manuallyInstrument({ ...sdk });
      // It instruments one module per process; each of our conversations is a module of its own.
      const { query } = wrapped;
      instrumentation.unpatch(wrapped);
      return { query };
    },
    flush: () => provider.forceFlush(),
  };
}

function noExporter() {
  return { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {}, forceFlush: async () => {} };
}

async function langsmith(origin) {
  process.env.LANGSMITH_TRACING = 'true';
  process.env.LANGSMITH_API_KEY = 'none';
  process.env.LANGSMITH_ENDPOINT = origin;
  const { Client } = await import('langsmith');
  const { wrapClaudeAgentSDK } = await import('langsmith/experimental/anthropic');
  const client = new Client({ apiUrl: origin, apiKey: 'none' });
  return {
    wrap: (sdk) => wrapClaudeAgentSDK(sdk, { client }),
    flush: () => client.awaitPendingTraceBatches(),
  };
}

async function braintrust(origin) {
  process.env.BRAINTRUST_API_URL = origin;
  process.env.BRAINTRUST_APP_URL = origin;
  const { initLogger, wrapClaudeAgentSDK } = await import('braintrust');
  const logger = initLogger({ projectName: 'bench', apiKey: 'none', appUrl: origin, asyncFlush: true });
  return { wrap: (sdk) => wrapClaudeAgentSDK(sdk), flush: () => logger.flush() };
}
