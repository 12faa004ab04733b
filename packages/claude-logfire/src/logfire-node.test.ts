import * as logfire from '@pydantic/logfire-node';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { createTracing, type Tracing } from '@spanprism/core';
import { type Collector, hostOf, mockSdk, openRecording, recordedScenarios } from '@spanprism/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  badgeOf,
  type LogfireRecord,
  llmsPage,
  records,
  recordsFull,
  startFakeLogfire,
} from './__fixtures__/fake-logfire.ts';
import { LogfireHost } from './__fixtures__/logfire-host.ts';
import { logfireDialect } from './logfire-dialect.ts';
import { logfireSink } from './logfire-sink.ts';

const TOKEN = 'pylf_v1_us_0123456789abcdef';
const said: string[] = [];
const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);

let host: LogfireHost;
let other: Collector;
beforeAll(async () => {
  other = await startFakeLogfire(TOKEN);
  host = await LogfireHost.start();
});
afterAll(() => Promise.all([host.stop(), other.close()]));

/** A query within a span of the program's own, as Logfire's SDK makes them. */
async function ask(tracing: Tracing): Promise<void> {
  await tracing.ready();
  const recording = openRecording('subagent-one');
  const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
  await logfire.span('GET /ask', {
    callback: () => hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} }, timeScale: 1 }),
  });
  await tracing.close();
  await logfire.forceFlush();
}

/** Of this program: the fakes are servers in the same process, and Logfire's SDK traces every server. */
const SERVER = 2;
const spansOfHost = () => host.spans().filter(({ kind }) => kind !== SERVER);

function treeOf(all: readonly LogfireRecord[], parent?: string, depth = 0): readonly string[] {
  return all
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .toSorted((a, b) => Number(a.startedAt - b.startedAt))
    .flatMap((record) => [`${'  '.repeat(depth)}${record.message}`, ...treeOf(all, record.spanId, depth + 1)]);
}

test("agents nest below the spans of a program that Logfire's own SDK traces, and read as Logfire wants them", async () => {
  const tracing = createTracing({ sinks: [otelSink({ dialect: logfireDialect() })], diag });
  await ask(tracing);
  expect(host.collector.requests.every(({ isAccepted }) => isAccepted)).toBe(true);
  const all = records(spansOfHost());
  expect(treeOf(all)).toMatchInlineSnapshot(`
    [
      "GET /ask",
      "  Agent claude",
      "    Hook UserPromptSubmit",
      "    Chat with claude-sonnet-4-5",
      "    Tool Agent",
      "      Subagent general-purpose",
      "        Hook SubagentStart:general-purpose",
      "        Chat with claude-sonnet-4-5",
      "        Hook PreToolUse:Bash",
      "        Tool Bash",
      "        Hook PostToolUse:Bash",
      "        Hook PostToolBatch",
      "        Chat with claude-sonnet-4-5",
      "        Hook SubagentStop",
      "    Hook PreToolUse:Agent",
      "    Hook PostToolUse:Agent",
      "    Hook PostToolBatch",
      "    Chat with claude-sonnet-4-5",
      "    Hook Stop",
    ]
  `);
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(1);
  expect(
    new Set(all.map(({ serviceName, deploymentEnvironment }) => `${serviceName} ${deploymentEnvironment}`)),
  ).toEqual(new Set(['shop test']));
  const calls = all.filter(({ tags }) => tags.includes('LLM'));
  const top = all.find(({ message }) => message === 'GET /ask');
  expect(top && badgeOf(top, all)).toMatchObject({ isSum: true });
  expect(llmsPage(all).reduce((sum, row) => sum + row.calls, 0)).toBe(calls.length);
  // Its own processor shows what runs.
  const pending = recordsFull(spansOfHost()).filter(({ kind }) => kind === 'pending_span');
  expect(pending.map(({ parentSpanId }) => parentSpanId).toSorted()).toEqual(
    all.map(({ spanId }) => spanId).toSorted(),
  );
  expect(said).toEqual([]);
});

test('sent to another project, the same run has the same trace, and nobody traces the sending', async () => {
  const before = spansOfHost().length;
  const sink = logfireSink({ token: TOKEN, baseUrl: other.url, environment: {} });
  await ask(createTracing({ sinks: [sink, otelSink({ dialect: logfireDialect() })], diag }));
  const [here, there] = [records(spansOfHost().slice(before)), records(other.spans())];
  expect(there.length).toBeGreaterThan(4);
  expect(here.map(({ message }) => message).toSorted()).toEqual(
    ['GET /ask', ...there.map(({ message }) => message)].toSorted(),
  );
  const traces = [...here, ...recordsFull(other.spans())].map(({ traceId }) => traceId);
  expect(new Set(traces).size).toBe(1);
});
