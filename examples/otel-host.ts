// A program that has OpenTelemetry already: the agent's spans join its trace, and the spans of its tools nest inside theirs.
//   node otel-host.ts "How many lamps are left?"
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing } from '@spanprism/core';
import { z } from 'zod';

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
const tracer = trace.getTracer('shop');

const tracing = createTracing({ sinks: [otelSink()] });
await tracing.ready();
const { createSdkMcpServer, query, tool } = tracing.wrapSdk(sdk);

const stock = tool('stock', 'How many pieces of an article are left', { article: z.string() }, ({ article }) =>
  tracer.startActiveSpan('SELECT stock', async (span) => {
    const left = article.length; // A database would be asked here.
    span.end();
    return { content: [{ type: 'text' as const, text: `${left} left` }] };
  }),
);
const shop = createSdkMcpServer({ name: 'shop', tools: [stock] });

await tracer.startActiveSpan('GET /ask', async (request) => {
  const prompt = process.argv[2] ?? 'How many lamps are left?';
  const options = { mcpServers: { shop }, allowedTools: ['mcp__shop__stock'] };
  for await (const message of query({ prompt, options })) {
    if (message.type === 'result' && message.subtype === 'success') console.log(message.result);
  }
  request.end();
});
await tracing.close();
await provider.shutdown();
