import * as Sentry from '@sentry/node';
import { type SentryEndpoint, type SentrySpanRow, startSentryEndpoint } from '@spanprism/testkit';
import { type Row, type SinkCase, testDialect, testSink } from '@spanprism/testkit/conformance';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { sentryDialect } from './sentry-dialect.ts';
import { sentrySink } from './sentry-sink.ts';

/** After https://develop.sentry.dev/sdk/telemetry/traces/modules/ai-agents/: the op decides, and what is under another has a name of its own. */
const KINDS: Readonly<Record<string, Row['kind']>> = {
  'gen_ai.invoke_agent': 'agent',
  'gen_ai.chat': 'llm',
  'gen_ai.execute_tool': 'tool',
  'claude.permission': 'permission',
  'claude.hook': 'hook',
  function: 'custom',
};
const LABELS: Readonly<Partial<Record<Row['kind'], string>>> = {
  agent: 'gen_ai.agent.name',
  llm: 'gen_ai.response.id',
  tool: 'gen_ai.tool.call.id',
};
const CONTENT = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
];

const micros = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1000n;

function rowOf({ attributes, ...span }: SentrySpanRow): Row {
  const number = (key: string): number | undefined => {
    const value = attributes[key];
    return typeof value === 'number' ? value : undefined;
  };
  const kind = KINDS[span.op] ?? 'custom';
  const label = attributes[LABELS[kind] ?? ''] ?? span.name;
  const untilFirst = number('gen_ai.response.time_to_first_chunk');
  const cached = [number('gen_ai.usage.cache_read.input_tokens'), number('gen_ai.usage.cache_creation.input_tokens')];
  const issues = attributes['claude.issues'];
  const startedAt = micros(span.startedAt);
  const optional = {
    parentId: span.parentSpanId,
    firstTokenAt: untilFirst === undefined ? undefined : startedAt + micros(untilFirst),
    countedInput: number('gen_ai.usage.input_tokens'),
    countedOutput: number('gen_ai.usage.output_tokens'),
    cachedInput: cached.every((one) => one === undefined)
      ? undefined
      : cached.reduce<number>((sum, one) => sum + (one ?? 0), 0),
    costUsd: number('gen_ai.cost.total_tokens'),
    issues: Array.isArray(issues) ? issues.map(String) : undefined,
  };
  return {
    traceId: span.traceId,
    id: span.spanId,
    kind,
    label: String(label),
    startedAt,
    endedAt: micros(span.endedAt),
    outcome: outcomeOf(attributes, span.status),
    text: CONTENT.map((key) => String(attributes[key] ?? '')).join('\n'),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Row>),
  };
}

function outcomeOf(attributes: SentrySpanRow['attributes'], status: string): Row['outcome'] {
  if (attributes['claude.tool.denied_by'] !== undefined) return 'denied';
  if (attributes['claude.cancelled'] === true) return 'cancelled';
  return status === 'ok' ? 'ok' : 'error';
}

const isOwn = ({ origin }: SentrySpanRow): boolean => origin === 'auto.ai.claude_agent_sdk';

let endpoint: SentryEndpoint;
beforeAll(async () => {
  endpoint = await startSentryEndpoint();
});
afterAll(() => endpoint.close());

interface Sent {
  readonly spans: readonly SentrySpanRow[];
  /** Everything that left, errors and all else that Sentry sends by itself. */
  readonly text: string;
}

/** The real client with all its defaults: whatever it would add to us, or take away. */
function sentryCase(traceLifecycle: 'static' | 'stream'): SinkCase<Sent> {
  return {
    name: `sentrySink, ${traceLifecycle}`,
    can: ['live', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ diag }) => {
      endpoint.clear();
      Sentry.init({ dsn: endpoint.dsn, tracesSampleRate: 1, traceLifecycle });
      const dispose = async (): Promise<void> => void (await Sentry.close(1000));
      return { sink: sentrySink({ diag }), sent: () => ({ spans: endpoint.spans(), text: endpoint.text() }), dispose };
    },
    decode: ({ spans }) => spans.filter(isOwn).map(rowOf),
  };
}

describe.each(['static', 'stream'] as const)('in Sentry', (traceLifecycle) => {
  testSink(test, sentryCase(traceLifecycle));
});

describe('the dialect', () => {
  testDialect(test, { dialect: sentryDialect(), prefixes: ['gen_ai.', 'claude.', 'error.', 'mcp.', 'sentry.'] });
});
