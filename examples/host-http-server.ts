// A web service that has OpenTelemetry already: a request, the agent that answers it and what its tools do are one trace.
//   PORT=3000 node host-http-server.ts &      curl localhost:3000 -d "How many lamps are left?"
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as sdk from '@anthropic-ai/claude-agent-sdk';
import { SpanKind, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing } from '@spanprism/core';
import { z } from 'zod';

const otel = new NodeSDK(); // OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT and the other standard variables
otel.start();
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

const server = createServer((request, response) =>
  tracer.startActiveSpan('POST /ask', { kind: SpanKind.SERVER }, async (span) => {
    const shop = createSdkMcpServer({ name: 'shop', tools: [stock] });
    const options = { mcpServers: { shop }, allowedTools: ['mcp__shop__stock'] };
    let answer = '';
    for await (const message of query({ prompt: await text(request), options }))
      if (message.type === 'result' && message.subtype === 'success') answer = message.result;
    span.end();
    response.end(answer);
  }),
);
server.listen(Number(process.env['PORT']), () => console.log(`listening on ${JSON.stringify(server.address())}`));
process.once('SIGTERM', () => server.close(() => void tracing.close().then(() => otel.shutdown())));
