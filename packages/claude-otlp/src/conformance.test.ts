import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Collector } from '@spanprism/testkit';
import { type Row, type SinkCase, testDialect, testSink } from '@spanprism/testkit/conformance';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { genaiDialect } from '@spanprism/core/dialect';
import { otelSink } from './otel/otel-sink.ts';
import { otlpSink } from './otlp-sink.ts';

/** A span as both encodings of OTLP and the SDK know it. */
interface Exported {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const numberOf = (value: unknown): number | undefined => {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return isNumber ? Number(value) : undefined;
};
const sumOf = (...values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
};

/** `gen_ai.operation.name` decides the kind, as the GenAI conventions (1.41) have it; what they do not name has a name of its own. */
const KINDS: Readonly<Record<string, Row['kind']>> = { invoke_agent: 'agent', chat: 'llm', execute_tool: 'tool' };
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

function rowOf({ attributes, ...span }: Exported): Row {
  const kind = KINDS[String(attributes['gen_ai.operation.name'])] ?? (span.name.split(' ')[0] as Row['kind']);
  const label = attributes[LABELS[kind] ?? ''] ?? span.name;
  const untilFirst = numberOf(attributes['gen_ai.response.time_to_first_chunk']);
  const issues = attributes['claude.issues'];
  return {
    traceId: span.traceId,
    id: span.spanId,
    ...present({ parentId: span.parentSpanId }),
    kind,
    label: String(label),
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    ...present({
      firstTokenAt: untilFirst === undefined ? undefined : span.startedAt + BigInt(Math.round(untilFirst * 1e9)),
      countedInput: numberOf(attributes['gen_ai.usage.input_tokens']),
      countedOutput: numberOf(attributes['gen_ai.usage.output_tokens']),
      cachedInput: sumOf(
        numberOf(attributes['gen_ai.usage.cache_read.input_tokens']),
        numberOf(attributes['gen_ai.usage.cache_creation.input_tokens']),
      ),
      costUsd: numberOf(attributes['claude.cost_usd']),
      issues: Array.isArray(issues) ? issues.map(String) : undefined,
    }),
    outcome: outcomeOf(attributes, span.isError),
    text: CONTENT.map((key) => String(attributes[key] ?? '')).join('\n'),
  };
}

function outcomeOf(attributes: Exported['attributes'], isError: boolean): Row['outcome'] {
  if (attributes['claude.tool.denied_by'] !== undefined) return 'denied';
  if (attributes['claude.cancelled'] === true) return 'cancelled';
  return isError ? 'error' : 'ok';
}

function present<T extends object>(fields: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { readonly [K in keyof T]?: Exclude<T[K], undefined> };
}

function otlpCase(protocol: 'http/protobuf' | 'http/json'): SinkCase<ReturnType<Collector['spans']>> {
  return {
    name: `otlpSink ${protocol}`,
    can: ['http', 'ownIds', 'cost', 'issues', 'firstToken', 'content'],
    make: ({ collector, diag }) => ({
      sink: otlpSink({ endpoint: collector.url, protocol, diag, environment: {}, metrics: false }),
      sent: () => collector.spans(),
    }),
    decode: (spans) =>
      spans.map((span) =>
        rowOf({
          ...span,
          parentSpanId: span.parentSpanId,
          isError: span.status.code === 2,
          attributes: span.attributes,
        }),
      ),
  };
}

const nanos = ([seconds, rest]: readonly [number, number]): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest);

const otelCase: SinkCase<readonly ReadableSpan[]> = {
  name: 'otelSink',
  can: ['live', 'cost', 'issues', 'firstToken', 'content'],
  make: () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    return {
      sink: otelSink({ tracerProvider }),
      sent: () => exporter.getFinishedSpans(),
      dispose: () => tracerProvider.shutdown(),
    };
  },
  decode: (spans) =>
    spans.map((span) =>
      rowOf({
        ...span.spanContext(),
        parentSpanId: span.parentSpanContext?.spanId,
        name: span.name,
        startedAt: nanos(span.startTime),
        endedAt: nanos(span.endTime),
        isError: span.status.code === 2,
        attributes: span.attributes,
      }),
    ),
};

describe('over OTLP', () => {
  testSink(test, otlpCase('http/protobuf'));
  testSink(test, otlpCase('http/json'));
});

describe('on a tracer of OpenTelemetry', () => {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => {
    context.disable();
    trace.disable();
  });

  testSink(test, otelCase);
});

describe.each(['v1.41', 'latest'] as const)('the GenAI conventions, %s', (version) => {
  testDialect(test, { dialect: genaiDialect({ version }), prefixes: ['gen_ai.', 'claude.', 'error.', 'mcp.'] });
});
