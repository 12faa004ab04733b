import { otelSink } from '@spanprism/claude-otlp/otel';
import type { CapturedSpan } from '@spanprism/core';
import type { Dialect, DialectValue } from '@spanprism/core/dialect';
import { otlpTraceSink } from '@spanprism/core/otlp';
import type { Collector } from '@spanprism/testkit';
import {
  type Row,
  runSinkCheck,
  SINK_CHECKS,
  type SinkCase,
  testDialect,
  testSink,
} from '@spanprism/testkit/conformance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LogfireRecord, legacyPanelOf, panelOf, records } from './__fixtures__/fake-logfire.ts';
import { LogfireHost } from './__fixtures__/logfire-host.ts';
import { logfireDialect } from './logfire-dialect.ts';
import { logfireSink, type LogfireSinkOptions } from './logfire-sink.ts';

const KINDS: Readonly<Record<string, Row['kind']>> = { invoke_agent: 'agent', chat: 'llm', execute_tool: 'tool' };

/** What Logfire's pages find each kind again by. */
const LABELS: Readonly<Partial<Record<Row['kind'], string>>> = {
  agent: 'gen_ai.agent.name',
  llm: 'gen_ai.response.id',
  tool: 'gen_ai.tool.call.id',
};

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;

function present<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}

function rowOf(record: LogfireRecord): Row {
  const { attributes, startedAt } = record;
  const kind =
    KINDS[String(attributes['gen_ai.operation.name'])] ?? (String(attributes['claude.span.kind']) as Row['kind']);
  const untilFirst = numberOf(attributes['gen_ai.client.operation.time_to_first_chunk']);
  const caches = [
    attributes['gen_ai.usage.cache_read.input_tokens'],
    attributes['gen_ai.usage.cache_creation.input_tokens'],
  ]
    .map(numberOf)
    .filter((value) => value !== undefined);
  const issues = attributes['claude.issues'];
  return {
    traceId: record.traceId,
    id: record.spanId,
    ...present({ parentId: record.parentSpanId }),
    kind,
    label: String(attributes[LABELS[kind] ?? ''] ?? record.spanName),
    startedAt,
    endedAt: record.endedAt,
    outcome: outcomeOf(record),
    ...present({
      firstTokenAt: untilFirst === undefined ? undefined : startedAt + BigInt(Math.round(untilFirst * 1e9)),
      countedInput: numberOf(attributes['gen_ai.usage.input_tokens']),
      countedOutput: numberOf(attributes['gen_ai.usage.output_tokens']),
      cachedInput: caches.length === 0 ? undefined : caches.reduce((sum, value) => sum + value, 0),
      costUsd: numberOf(attributes['operation.cost']),
      issues: Array.isArray(issues) ? issues.map(String) : undefined,
    }),
    text: textOf(record),
  };
}

function outcomeOf({ attributes, otelStatusCode }: LogfireRecord): Row['outcome'] {
  if (attributes['claude.tool.denied_by'] !== undefined) return 'denied';
  if (attributes['claude.cancelled'] === true) return 'cancelled';
  return otelStatusCode === 'ERROR' ? 'error' : 'ok';
}

/** What its panels show. */
function textOf(record: LogfireRecord): string {
  const tool = ['gen_ai.tool.call.arguments', 'gen_ai.tool.call.result'].map((key) => record.attributes[key] ?? '');
  return JSON.stringify([panelOf(record), tool]);
}

type Spans = ReturnType<Collector['spans']>;

const TOKEN = 'pylf_v1_us_0123456789abcdef';

const decode = (spans: Spans): readonly Row[] => records(spans).map(rowOf);

function sinkCase(options: LogfireSinkOptions = {}): SinkCase<Spans> {
  return {
    name: 'logfireSink',
    can: ['http', 'ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ collector, diag }) => ({
      sink: logfireSink({ token: TOKEN, baseUrl: collector.url, diag, environment: {}, ...options }),
      sent: () => collector.spans(),
    }),
    decode,
  };
}

describe('logfireSink', () => {
  testSink(test, sinkCase());
  // Read as Logfire reads older integrations, which have no messages of the conventions.
  testSink(test, {
    ...sinkCase({ pendingSpans: false }),
    name: 'logfireSink without pending spans, in the older panel',
    decode: (spans) =>
      records(spans).map((record) => {
        const older = record.attributes['gen_ai.operation.name'] === 'chat';
        return older ? { ...rowOf(record), text: JSON.stringify(legacyPanelOf(record.attributes)) } : rowOf(record);
      }),
  });
});

describe("beside Logfire's own SDK", () => {
  let host: LogfireHost;
  beforeAll(async () => {
    host = await LogfireHost.start();
  });
  afterAll(() => host.stop());

  testSink(test, {
    name: 'otelSink with the dialect of Logfire, on @pydantic/logfire-node',
    can: ['live', 'cost', 'issues', 'firstToken', 'content'],
    make: () => {
      const before = host.spans().length;
      const sink = otelSink({ dialect: logfireDialect() });
      return { sink, sent: () => host.spans().slice(before) };
    },
    decode,
  });
});

/** The dialect with one fault, and the checks that find it. */
interface Mutant {
  readonly fault: string;
  readonly foundBy: readonly string[];
  readonly change: (dialect: Dialect) => Partial<Dialect>;
}

type Change = (attributes: Record<string, DialectValue>, span: CapturedSpan) => void;

/** Attributes as the dialect has them, changed. */
const attributes =
  (change: Change): Mutant['change'] =>
  (dialect) => ({
    attributes: (span) => {
      const changed = { ...dialect.attributes(span) };
      change(changed, span);
      return changed;
    },
  });

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'counts the usage of the turn beside that of its calls',
    foundBy: ['tokens are counted once per trace'],
    change: attributes((all, span) => {
      if (span.kind === 'agent') all['gen_ai.usage.output_tokens'] = span.totals?.usage.outputTokens ?? 0;
    }),
  },
  {
    fault: 'takes cached tokens out of the input',
    foundBy: ['cached tokens are part of the input'],
    change: attributes((all, span) => {
      if (span.kind === 'llm' && span.usage?.cacheReadTokens !== undefined) all['gen_ai.usage.input_tokens'] = 100;
    }),
  },
  {
    fault: 'keeps the cost under a name of its own',
    foundBy: ['money is counted once per trace'],
    change: attributes((all) => {
      delete all['operation.cost'];
    }),
  },
  {
    fault: 'counts the money of the turn beside that of its calls',
    foundBy: ['money is counted once per trace'],
    change: attributes((all, span) => {
      if (span.kind === 'agent') all['operation.cost'] = span.totals?.costUsd ?? 0;
    }),
  },
  {
    fault: 'says when the first chunk came where the conventions do, and Logfire does not look',
    foundBy: ['the first token has its time'],
    change: attributes((all) => {
      delete all['gen_ai.client.operation.time_to_first_chunk'];
    }),
  },
  {
    fault: 'does not say what is JSON',
    foundBy: ['content that may leave arrives', 'a long text is cut between characters'],
    change: attributes((all) => {
      delete all['logfire.json_schema'];
    }),
  },
  {
    fault: 'sends pending spans as spans',
    foundBy: [
      'one row per span',
      'tokens are counted once per trace',
      'money is counted once per trace',
      'by default no content is in anything that leaves',
      'a text at which redaction fails does not leave',
    ],
    change: (dialect) => ({
      atStart: (span) => {
        const record = dialect.atStart?.(span);
        if (record === undefined || span.kind !== 'llm') return record;
        const { 'logfire.span_type': _, ...rest } = record.attributes;
        return { ...record, attributes: { ...rest, 'gen_ai.response.id': `${rest['gen_ai.response.id']}/pending` } };
      },
    }),
  },
  {
    fault: 'takes what failed for good',
    foundBy: ['a failed tool is an error', 'a failed call is an error'],
    change: () => ({ status: () => ({ code: 'unset' }), events: () => [] }),
  },
  {
    fault: 'hangs everything below the trace',
    foundBy: ['calls and tools hang below their agent', 'a subagent hangs below the call that asked for it'],
    change: () => ({ parentSpanId: () => undefined }),
  },
];

/** Those that a spelling can break, each in a few milliseconds. */
const SPELLED = SINK_CHECKS.filter(({ group }) => ['shape', 'time', 'numbers', 'outcome', 'privacy'].includes(group));

test.each(MUTANTS)('a dialect that $fault is found out', async ({ change, foundBy }) => {
  const dialect = logfireDialect();
  const { putAttributes: _, ...rest } = dialect;
  const mutant: SinkCase<Spans> = {
    ...sinkCase(),
    make: ({ collector, diag }) => ({
      sink: otlpTraceSink({
        name: 'mutant',
        url: `${collector.url}/v1/traces`,
        dialect: { ...rest, ...change(dialect) },
        diag,
      }),
      sent: () => collector.spans(),
    }),
  };
  const failed: string[] = [];
  for (const check of SPELLED) await runSinkCheck(check, mutant).catch(() => failed.push(check.name));
  expect(failed).toEqual(foundBy);
});

testDialect(test, {
  dialect: logfireDialect(),
  prefixes: ['gen_ai.', 'claude.', 'error.', 'mcp.', 'logfire.', 'operation.cost', 'request_data', 'response_data'],
});
