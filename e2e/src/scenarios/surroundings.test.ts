import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { answer, startCollector, text, toolUse, when } from '@spanprism/testkit';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { checkDelivery, checkShape, checkTrace, inclusive } from '../check-trace.ts';
import { agent, bash, usage } from '../replies.ts';
import { MODEL, runScenario } from '../run-scenario.ts';
import { watchingSink } from '../watching-sink.ts';

const rules = [
  when.toolResult('toolu_1', /hello/).reply(answer(text('Done.'), { usage: usage(1400, 12) })),
  when
    .lastUserText('use bash')
    .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello')], { usage: usage(1200, 55) })),
];
const plain = { prompt: 'use bash', rules };

const delegation = [
  when
    .agent('subagent')
    .toolResult('toolu_sub')
    .reply(answer(text('ALPHA is here.'), { usage: usage(700, 24) })),
  when
    .agent('subagent')
    .firstUserText('Find ALPHA')
    .reply(answer([text('Looking.'), bash('toolu_sub', 'cat a.txt')], { usage: usage(600, 30) })),
  when
    .agent('main')
    .toolResult('toolu_agent')
    .reply(answer(text('All done.'), { usage: usage(1500, 25) })),
  when
    .agent('main')
    .lastUserText('delegate')
    .reply(answer([text('Delegating.'), agent('toolu_agent', 'Find ALPHA', false)], { usage: usage(1200, 60) })),
];

afterEach(() => {
  context.disable();
});

test('a turn stands below the span that is active in the host, on its own tracer', async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = tracerProvider.getTracer('host');
  const watching = watchingSink();
  await tracer.startActiveSpan('handle-request', async (host) => {
    await runScenario({
      prompt: 'calculate',
      sink: watching,
      tracing: { sinks: [otelSink({ tracerProvider }), watching] },
      options: ({ sdk }) => ({
        allowedTools: ['mcp__calc__add'],
        mcpServers: {
          calc: sdk.createSdkMcpServer({
            name: 'calc',
            tools: [
              sdk.tool('add', 'adds', { a: z.number() }, async ({ a }) => {
                tracer.startSpan('look-up').end();
                return { content: [{ type: 'text', text: `${a}` }] };
              }),
            ],
          }),
        },
      }),
      rules: [
        when.toolResult('toolu_add', /2/).reply(answer(text('Two.'), { usage: usage(1400, 12) })),
        when
          .lastUserText('calculate')
          .reply(
            answer(toolUse({ id: 'toolu_add', name: 'mcp__calc__add', input: { a: 2 } }), { usage: usage(1200, 30) }),
          ),
      ],
    });
    host.end();
  });
  const spans = exporter.getFinishedSpans();
  const named = (name: string | RegExp) => spans.find((span) => span.name.search(name) >= 0);
  const parentOf = (name: string | RegExp) =>
    spans.find((span) => span.spanContext().spanId === named(name)?.parentSpanContext?.spanId)?.name;
  expect(parentOf(/^invoke_agent/)).toBe('handle-request');
  expect(parentOf(/^execute_tool/)).toBe(named(/^invoke_agent/)?.name);
  expect(parentOf('look-up')).toBe(named(/^execute_tool/)?.name);
  expect(spans.filter(({ name }) => name.startsWith('chat'))).toHaveLength(2);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  expect(new Set(watching.spans.map(({ traceId }) => traceId))).toEqual(new Set([spans[0]?.spanContext().traceId]));
});

test('a TRACEPARENT that the user gives the child is the parent of the turn', async () => {
  const run = await runScenario({
    ...plain,
    env: { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' },
  });
  checkTrace(run);
  expect(run.spans.find((span) => span.kind === 'agent')).toMatchObject({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
    parentIsRemote: true,
  });
});

test('a step of the user stands above the turn, and his attributes on every span', async () => {
  const run = await runScenario({
    rules,
    play: async ({ tracing, ask }) => {
      await tracing?.withAttributes({ userId: 'u1', tags: ['a', 'b'] }, async () =>
        tracing.span('review', async () => {
          await ask('use bash');
        }),
      );
    },
  });
  const step = run.spans.find((span) => span.kind === 'custom');
  expect(run.spans.find((span) => span.kind === 'agent')?.parentSpanId).toBe(step?.spanId);
  expect(new Set(run.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(run.spans.map(({ attributes }) => attributes)).toEqual(
    run.spans.map(() => ({ 'user.id': 'u1', tags: '["a","b"]' })),
  );
});

test('telemetry that the user exports himself stays his, and the trace makes do with hidden partial messages', async () => {
  await using collector = await startCollector();
  const env = {
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-mine=yes',
  };
  const run = await runScenario({ prompt: 'delegate', env, rules: delegation });
  expect(run.stats?.loopback?.received).toEqual({ traces: 0, logs: 0, metrics: 0 });
  const seen = collector.spans().map(({ name }) => name);
  expect(seen.filter((name) => name === 'claude_code.llm_request')).toHaveLength(4);
  expect(seen.filter((name) => name === 'claude_code.interaction')).toHaveLength(1);
  expect(new Set(collector.requests.map(({ signal }) => signal))).toEqual(new Set(['traces', 'logs', 'metrics']));
  expect(collector.requests.every(({ headers }) => headers['x-mine'] === 'yes')).toBe(true);
  checkFallback(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/fallback.tree.txt');
});

test('with CLI telemetry off the trace is that of the same partial messages', async () => {
  const run = await runScenario({ prompt: 'delegate', tracing: { cliTelemetry: 'off' }, rules: delegation });
  expect(run.stats?.loopback).toBeUndefined();
  checkFallback(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/fallback.tree.txt');
});

/** The main loop's figures are exact, a subagent's are unknown and left over, and the consumer sees nothing of how. */
function checkFallback(run: Awaited<ReturnType<typeof runScenario>>): void {
  checkDelivery(run);
  checkShape(run.spans);
  expect(run.messages.filter(({ type }) => type === 'stream_event')).toEqual([]);
  expect(JSON.stringify(run.messages)).not.toContain('"Looking."');
  const calls = run.spans.filter((span) => span.kind === 'llm');
  for (const call of run.calls.filter(({ agentId }) => agentId === undefined)) {
    expect(calls.find(({ requestId }) => requestId === call.requestId)?.usage).toMatchObject(inclusive(call.usage!));
  }
  const turn = run.spans.find((span) => span.kind === 'agent' && span.role === 'main');
  // 600 + 700 of the subagent with 2 × 4300 of its cache, and 30 + 24.
  expect(turn).toMatchObject({ unattributed: { usage: { inputTokens: 9900, outputTokens: 54 } } });
}

test('settings that silence the CLI cost one wait and an issue, never the turn', async () => {
  const run = await runScenario({
    prompts: ['use bash', 'again'],
    options: { settingSources: ['user'] },
    home: { '.claude/settings.json': JSON.stringify({ env: { CLAUDE_CODE_ENABLE_TELEMETRY: '0' } }) },
    rules: [...rules, when.lastUserText('again').reply(answer(text('Again.'), { usage: usage(1000, 10) }))],
  });
  checkDelivery(run);
  checkShape(run.spans);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/silent.tree.txt');
  const turns = run.spans.filter((span) => span.kind === 'agent');
  const codes = turns.map(({ issues }) => issues.map(({ code }) => code).filter((code) => code !== 'approximate_time'));
  expect(codes[0]).toContain('telemetry_silent');
  expect(codes[1]).not.toContain('telemetry_silent');
  expect(turns.map(({ totals }) => totals?.usage.outputTokens)).toEqual([67, 10]);
});

test('settings that send the spans elsewhere leave logs and metrics, and the figures stay exact', async () => {
  await using collector = await startCollector();
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` };
  const run = await runScenario({
    ...plain,
    options: { settingSources: ['user'] },
    home: { '.claude/settings.json': JSON.stringify({ env }) },
  });
  checkDelivery(run);
  checkShape(run.spans);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/one-tool.tree.txt');
  expect(collector.spans().length).toBeGreaterThan(0);
});

test('a proxy for everything gets the calls of the API and none of the telemetry', async () => {
  await using proxy = await startProxy();
  const all = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  const run = await runScenario({ ...plain, env: Object.fromEntries(all.map((name) => [name, proxy.url])) });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/one-tool.tree.txt');
  expect(proxy.seen.length).toBeGreaterThan(0);
  expect(proxy.seen.filter((url) => !url.startsWith(run.api.url))).toEqual([]);
});

test('a proxy that cannot be reached does not stop the telemetry of a child that exempts loopback', async () => {
  const run = await runScenario({ ...plain, env: { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' } });
  checkTrace(run);
  expect(run.spans.find((span) => span.kind === 'llm')?.requestModel).toBe(MODEL);
});

/** A forward proxy on loopback that writes down what passes. */
async function startProxy(): Promise<AsyncDisposable & { readonly url: string; readonly seen: readonly string[] }> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(incoming.url ?? '');
    const { method, headers } = incoming;
    const forwarded = httpRequest(incoming.url ?? '', { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.on('connect', (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
