import { LangfuseSpanProcessor } from '@langfuse/otel';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { otelSink } from '@spanprism/claude-otlp/otel';
import type { CapturedSpan, Sink } from '@spanprism/core';
import type { Dialect, DialectAttributes } from '@spanprism/core/dialect';
import { otlpTraceSink } from '@spanprism/core/otlp';
import type { Collector } from '@spanprism/testkit';
import {
  type Made,
  type Row,
  runSinkCheck,
  SINK_CHECKS,
  type SinkCase,
  testDialect,
  testSink,
} from '@spanprism/testkit/conformance';
import { Langfuse } from 'langfuse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  clientBaseUrl,
  clientBatches,
  type FakeObservation,
  ingested,
  nanosOf,
  observations,
  PUBLIC_KEY,
  SECRET_KEY,
  tokensOf,
} from './__fixtures__/fake-langfuse.ts';
import { langfuseClientSink } from './langfuse-client-sink.ts';
import { langfuseDialect } from './langfuse-dialect.ts';
import { langfuseSink } from './langfuse-sink.ts';

const keys = { publicKey: PUBLIC_KEY, secretKey: SECRET_KEY };

const KINDS: Readonly<Record<string, Row['kind']>> = {
  AGENT: 'agent',
  GENERATION: 'llm',
  TOOL: 'tool',
  CHAIN: 'custom',
};
const LABELS: Readonly<Partial<Record<Row['kind'], string>>> = {
  llm: 'gen_ai.response.id',
  tool: 'gen_ai.tool.call.id',
};

function rowOf(observation: FakeObservation): Row {
  const { metadata, parentId, completionStartTime, costDetails, usageDetails } = observation;
  const kind = KINDS[observation.type] ?? (metadata['claude.span.kind'] as Row['kind']);
  const cached = Object.entries(usageDetails).filter(([bucket]) => bucket.startsWith('input_cache'));
  const issues = metadata['claude.issues'];
  return {
    traceId: observation.traceId,
    id: observation.id,
    kind,
    label: String(metadata[LABELS[kind] ?? ''] ?? observation.name),
    startedAt: observation.startedAt,
    endedAt: observation.endedAt,
    outcome: outcomeOf(observation),
    ...present({
      parentId,
      firstTokenAt: completionStartTime === undefined ? undefined : nanosOf(completionStartTime),
      countedInput: tokensOf(observation, 'input'),
      countedOutput: tokensOf(observation, 'output'),
      cachedInput: cached.length === 0 ? undefined : cached.reduce((sum, [, tokens]) => sum + tokens, 0),
      costUsd: costDetails['total'],
      issues: Array.isArray(issues) ? issues.map(String) : undefined,
    }),
    text: JSON.stringify([observation.input, observation.output]),
  };
}

function outcomeOf({ metadata, level }: FakeObservation): Row['outcome'] {
  if (metadata['claude.tool.denied_by'] !== undefined) return 'denied';
  if (metadata['claude.cancelled'] === true) return 'cancelled';
  return level === 'ERROR' ? 'error' : 'ok';
}

function present<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}

type Spans = ReturnType<Collector['spans']>;

const sinkCase: SinkCase<Spans> = {
  name: 'langfuseSink',
  can: ['http', 'ownIds', 'cost', 'issues', 'firstToken', 'content'],
  make: ({ collector, diag }) => ({
    sink: langfuseSink({ ...keys, baseUrl: collector.url, diag, env: {} }),
    sent: () => collector.spans(),
  }),
  decode: (spans) => observations(spans).map(rowOf),
};

type Batches = ReturnType<typeof clientBatches>;

/** The client numbers its events at random, so that no two runs are the same bytes. */
const clientCase = (change: (sink: Sink) => Sink = (sink) => sink): SinkCase<Batches> => ({
  name: 'langfuseClientSink',
  can: ['cost', 'issues', 'firstToken', 'content'],
  make: ({ collector, diag }): Made<Batches> => {
    const client = new Langfuse({ ...keys, baseUrl: clientBaseUrl(collector), flushAt: 200, fetchRetryDelay: 1000 });
    return { sink: change(langfuseClientSink({ client, diag })), sent: () => clientBatches(collector) };
  },
  decode: (batches) => ingested(batches).observations.map(rowOf),
});

describe('over OTLP', () => {
  testSink(test, sinkCase);
});

describe('through a classic client', () => {
  testSink(test, clientCase());

  // All but one: the client gives up on every answer that is no JSON, a 429 without a body among them.
  const lifecycle = SINK_CHECKS.filter(({ group, needs }) => group === 'lifecycle' && needs?.includes('http'));
  test.each(lifecycle.filter(({ name }) => !name.startsWith('429')))('langfuseClientSink: $name', async (check) => {
    await expect(runSinkCheck(check, clientCase())).resolves.toBeUndefined();
  });
});

describe("in a program that has Langfuse's span processor", () => {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    // Its queue drops without a word what is over 2,048.
    process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = '20000';
  });
  afterAll(() => {
    delete process.env['OTEL_BSP_MAX_QUEUE_SIZE'];
    context.disable();
    trace.disable();
  });

  testSink(test, {
    name: 'otelSink with the dialect of Langfuse, on LangfuseSpanProcessor',
    can: ['live', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ collector }) => {
      const processor = new LangfuseSpanProcessor({ ...keys, baseUrl: collector.url });
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
      return {
        sink: otelSink({ tracerProvider, dialect: langfuseDialect() }),
        sent: () => collector.spans(),
        dispose: () => tracerProvider.shutdown(),
      };
    },
    decode: (spans) => observations(spans).map(rowOf),
  });
});

/** One fault, and the checks that find it. */
interface Mutant {
  readonly fault: string;
  readonly foundBy: readonly string[];
}

interface DialectMutant extends Mutant {
  readonly change: (dialect: Dialect) => Partial<Dialect>;
}

type Change = (attributes: Record<string, DialectAttributes[string]>, span: CapturedSpan) => void;

/** Attributes as the dialect has them, changed. */
const attributes =
  (change: Change): DialectMutant['change'] =>
  (dialect) => ({
    attributes: (span) => {
      const changed = { ...dialect.attributes(span) };
      change(changed, span);
      return changed;
    },
  });

const USAGE = 'langfuse.observation.usage_details';
const COST = 'langfuse.observation.cost_details';

const DIALECT_MUTANTS: readonly DialectMutant[] = [
  {
    fault: 'sends buckets of which one holds the others',
    foundBy: ['cached tokens are part of the input'],
    change: attributes((all, span) => {
      if (span.kind !== 'llm' || span.usage?.cacheReadTokens === undefined) return;
      all[USAGE] = JSON.stringify({ ...JSON.parse(String(all[USAGE])), input: span.usage.inputTokens });
    }),
  },
  {
    fault: 'counts the usage of the turn beside that of its calls',
    foundBy: ['tokens are counted once per trace', 'money is counted once per trace'],
    change: attributes((all, span) => {
      if (span.kind !== 'agent') return;
      // Langfuse empties what says that it invokes an agent.
      delete all['gen_ai.operation.name'];
      all[USAGE] = JSON.stringify({ output: span.totals?.usage.outputTokens });
      all[COST] = JSON.stringify({ total: span.totals?.costUsd });
    }),
  },
  {
    fault: 'sends usage as anything but JSON',
    foundBy: ['tokens are counted once per trace', 'cached tokens are part of the input', 'large figures are exact'],
    change: attributes((all) => {
      if (all[USAGE] !== undefined) all[USAGE] = ['input', '7'];
    }),
  },
  {
    fault: 'counts unknown figures as 0',
    foundBy: ['a figure that is not known is not 0'],
    change: attributes((all, span) => {
      if (span.kind === 'llm') all[USAGE] ??= JSON.stringify({ input: 0, output: 0 });
    }),
  },
  {
    fault: 'says when the first token came in seconds',
    foundBy: ['the first token has its time'],
    change: attributes((all) => {
      if ('langfuse.observation.completion_start_time' in all) all['langfuse.observation.completion_start_time'] = 0.25;
    }),
  },
  {
    fault: 'keeps the cost to itself',
    foundBy: ['money is counted once per trace'],
    change: attributes((all) => {
      delete all[COST];
    }),
  },
  {
    fault: 'takes what failed for good',
    foundBy: ['a failed tool is an error', 'a failed call is an error'],
    change: (dialect) => ({
      ...attributes((all) => void (all['langfuse.observation.level'] = 'DEFAULT'))(dialect),
    }),
  },
  {
    fault: 'hangs everything below the trace',
    foundBy: ['calls and tools hang below their agent', 'a subagent hangs below the call that asked for it'],
    change: () => ({ parentSpanId: () => undefined }),
  },
  {
    fault: 'puts content where Langfuse does not look beside its own',
    foundBy: ['content that may leave arrives', 'a long text is cut between characters'],
    change: attributes((all) => {
      all['gen_ai.input.messages'] = all['langfuse.observation.input'] ?? '';
      all['langfuse.observation.input'] = '';
      delete all['langfuse.observation.output'];
    }),
  },
  {
    fault: 'forgets what is known to be missing',
    foundBy: ['a guessed time is said to be guessed', 'a span that nobody saw end says so'],
    change: attributes((all) => {
      const { 'claude.issues': _, ...rest } = JSON.parse(String(all['langfuse.observation.metadata'])) as object & {
        'claude.issues'?: unknown;
      };
      all['langfuse.observation.metadata'] = JSON.stringify(rest);
    }),
  },
];

/** Those that a spelling can break, each in a few milliseconds. */
const SPELLED = SINK_CHECKS.filter(({ group }) => ['shape', 'time', 'numbers', 'outcome', 'privacy'].includes(group));

async function failedBy<Sent>(mutant: SinkCase<Sent>): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const check of SPELLED) {
    if (check.needs?.every((need) => mutant.can?.includes(need)) === false) continue;
    await runSinkCheck(check, mutant).catch(() => failed.push(check.name));
  }
  return failed;
}

test.each(DIALECT_MUTANTS)('a dialect that $fault is found out', async ({ change, foundBy }) => {
  const dialect = langfuseDialect({ isAlone: true });
  const { putAttributes: _, ...rest } = dialect;
  const failed = await failedBy({
    ...sinkCase,
    make: ({ collector, diag }) => ({
      sink: otlpTraceSink({
        name: 'mutant',
        url: `${collector.url}/v1/traces`,
        dialect: { ...rest, ...change(dialect) },
        diag,
      }),
      sent: () => collector.spans(),
    }),
  });
  expect(failed).toEqual(foundBy);
});

interface ClientMutant extends Mutant {
  readonly change: (span: CapturedSpan) => CapturedSpan;
}

const CLIENT_MUTANTS: readonly ClientMutant[] = [
  {
    fault: 'tells the client no parents',
    foundBy: ['calls and tools hang below their agent', 'a subagent hangs below the call that asked for it'],
    change: (span) => {
      const { parentSpanId: _, ...rest } = span;
      return rest as CapturedSpan;
    },
  },
  {
    fault: 'takes the time of the end from the client',
    foundBy: ['start and end are the observed ones', 'lengths of nothing and of less than a millisecond are exact'],
    change: (span) => ({ ...span, endedAt: BigInt(Date.now()) * 1_000_000n }),
  },
  {
    fault: 'says nothing of what a call used',
    foundBy: ['tokens are counted once per trace', 'cached tokens are part of the input', 'large figures are exact'],
    change: (span) => {
      if (span.kind !== 'llm') return span;
      const { usage: _, ...rest } = span;
      return rest as CapturedSpan;
    },
  },
];

test.each(CLIENT_MUTANTS)('a sink that $fault is found out', async ({ change, foundBy }) => {
  const mutant = clientCase((sink) => ({ ...sink, spanEnd: (span) => sink.spanEnd(change(span)) }));
  expect(await failedBy(mutant)).toEqual(foundBy);
});

testDialect(test, {
  dialect: langfuseDialect({ isAlone: true }),
  prefixes: ['langfuse.', 'gen_ai.', 'session.id', 'user.id'],
});
