import { readFileSync } from 'node:fs';
import * as Sentry from '@sentry/node';
import { ConfigurationError, createTracing } from '@spanprism/core';
import {
  hostOf,
  mockSdk,
  openRecording,
  recordedScenarios,
  type SentryEndpoint,
  type SentrySpanRow,
  startSentryEndpoint,
} from '@spanprism/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claudeAgentSdkIntegration, instrumentClaudeQuery } from './integration.ts';
import { sentrySink } from './sentry-sink.ts';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());
beforeEach(() => endpoint.clear());

const ownSpans = (): readonly SentrySpanRow[] =>
  endpoint.spans().filter(({ origin }) => origin === 'auto.ai.claude_agent_sdk');

/** The spans as the reviewed trees of the recordings tell them. */
function treeOf(rows: readonly SentrySpanRow[], parent?: string, depth = 0): string {
  const ids = new Set(rows.map(({ spanId }) => spanId));
  const isHere = ({ parentSpanId }: SentrySpanRow): boolean =>
    parent === undefined ? parentSpanId === undefined || !ids.has(parentSpanId) : parentSpanId === parent;
  const children = rows.filter(isHere).toSorted((left, right) => left.startedAt - right.startedAt);
  return children.map((row) => `${'  '.repeat(depth)}${lineOf(row)}\n${treeOf(rows, row.spanId, depth + 1)}`).join('');
}

function lineOf({ op, status, attributes }: SentrySpanRow): string {
  const text = (key: string): string => String(attributes[key] ?? '');
  const state = status === 'ok' ? 'ok' : 'error';
  if (op === 'gen_ai.invoke_agent') return `agent ${text('gen_ai.agent.name')} ${text('claude.outcome')}`;
  const background = attributes['claude.tool.in_background'] === true ? ' background' : '';
  if (op === 'gen_ai.execute_tool')
    return `tool ${text('gen_ai.tool.name')} ${text('gen_ai.tool.call.id')} ${state}${background}`;
  const cost = attributes['gen_ai.cost.total_tokens'];
  const figures =
    typeof cost === 'number'
      ? ` in=${text('gen_ai.usage.input_tokens')} out=${text('gen_ai.usage.output_tokens')} cost=${cost.toFixed(6)}`
      : '';
  return `llm ${text('claude.purpose')} ${text('claude.request_id')} ${text('gen_ai.request.model')}${figures} ${state}`;
}

const reviewed = (name: string): string =>
  readFileSync(new URL(`../../testkit/expectations-own/${name}.tree.txt`, import.meta.url), 'utf8');

describe.each(['static', 'stream'] as const)('a recorded run with %s spans', (traceLifecycle) => {
  test.each(['foreground-subagent', 'background-subagent', 'failing-tools', 'bad-request', 'three-turns', 'mcp-tools'])(
    '%s arrives as its reviewed tree, counted once, in its conversation',
    async (name) => {
      // With all that Sentry does by itself, its integration for Anthropic's client among it.
      Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, traceLifecycle });
      expect(Sentry.getClient()?.getIntegrationByName('Anthropic_AI')).toBeDefined();
      const tracing = createTracing({ sinks: [sentrySink()], cliTelemetry: 'on', agentName: 'main' });
      await tracing.ready();
      const recording = openRecording(name);
      const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
      await hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} }, timeScale: 1 });
      await Promise.all(sdk.calls.map(({ exited }) => exited));
      await tracing.close();
      await Sentry.close(2000);
      expect(treeOf(ownSpans())).toBe(reviewed(name));
      const models = endpoint.spans().filter(({ op }) => op === 'gen_ai.chat');
      expect(new Set(models.map(({ origin }) => origin))).toEqual(new Set(['auto.ai.claude_agent_sdk']));
      for (const { attributes } of ownSpans()) expect(attributes['gen_ai.conversation.id']).toMatch(/^[0-9a-f]{8}-/);
      // What failed because of it (the turn of bad-request) is none.
      expect(endpoint.errors()).toHaveLength(reviewed(name).match(/^ .* error$/gm)?.length ?? 0);
      expect(tracing.stats()).toMatchObject({ caught: 0, sinks: { sentry: { dropped: {} } } });
    },
    30_000,
  );
});

test('instrumentClaudeQuery traces a query, and Sentry.close() waits for what it has still to tell', async () => {
  Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, sendDefaultPii: true } as Parameters<typeof Sentry.init>[0]);
  const recording = openRecording('bash-call');
  const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
  const query = instrumentClaudeQuery(sdk.query, { agentName: 'runner', recordOutputs: false });
  await Sentry.startSpan({ name: 'GET /run', op: 'http.server' }, () =>
    hostOf(recording, { ...sdk, query }, { options: { env: {} }, timeScale: 1 }),
  );
  await Sentry.close(5000);
  const [request] = endpoint.spans().filter(({ name }) => name === 'GET /run');
  const agent = ownSpans().find(({ name }) => name === 'invoke_agent runner');
  expect(agent?.parentSpanId).toBe(request?.spanId);
  expect(
    ownSpans()
      .map(({ op }) => op)
      .toSorted(),
  ).toEqual(['gen_ai.chat', 'gen_ai.chat', 'gen_ai.execute_tool', 'gen_ai.invoke_agent']);
  const tool = ownSpans().find(({ op }) => op === 'gen_ai.execute_tool');
  expect(tool?.attributes).toHaveProperty(['gen_ai.tool.call.arguments']);
  expect(tool?.attributes).not.toHaveProperty(['gen_ai.tool.call.result']);
});

test('a query that is traced already is not traced twice', async () => {
  Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1 });
  const sdk = mockSdk({ scenarios: [] });
  const query = instrumentClaudeQuery(sdk.query);
  expect(instrumentClaudeQuery(query)).toBe(query);
  await Sentry.close(1000);
});

test.each([
  [
    () => claudeAgentSdkIntegration({ name: 'x' } as object),
    'no option name (from the options of claudeAgentSdkIntegration)',
  ],
  [() => claudeAgentSdkIntegration({ agentName: 5 } as object), 'agentName is 5'],
  [() => instrumentClaudeQuery(() => ({}) as never, { recordInputs: 1 } as object), 'recordInputs is 1'],
])('%s is refused at once', (make, message) => {
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
