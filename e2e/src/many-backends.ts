import {
  BasicTracerProvider,
  InMemorySpanExporter,
  RandomIdGenerator,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import * as Sentry from '@sentry/node';
import { langfuseSink } from '@spanprism/claude-langfuse';
import { logfireSink } from '@spanprism/claude-logfire';
import { otlpSink, phoenix } from '@spanprism/claude-otlp';
import { otelSink } from '@spanprism/claude-otlp/otel';
import { sentrySink } from '@spanprism/claude-sentry';
import type { Sink, Span, SpanKind } from '@spanprism/core';
import { type Collector, startCollector, startSentryEndpoint } from '@spanprism/testkit';
import {
  observations,
  PUBLIC_KEY,
  SECRET_KEY,
  startFakeLangfuse,
} from '../../packages/claude-langfuse/src/__fixtures__/fake-langfuse.ts';
import { records, startFakeLogfire } from '../../packages/claude-logfire/src/__fixtures__/fake-logfire.ts';
import type { ContentClass } from '../../packages/testkit/src/canary/canaries.ts';

/** What a backend shows of a span, in the words of its documentation. */
export interface Row {
  readonly traceId: string;
  /** Which span of ours it is. */
  readonly span: string;
  /** What the backend takes it for. */
  readonly kind: unknown;
}

export interface Backend {
  readonly sink: Sink;
  readonly rows: () => readonly Row[];
  /** The traces in which it showed spans while they ran, if it does. */
  readonly tracesOfRunning?: () => readonly string[];
  /** All that arrived, to search for what must not. */
  readonly arrived: () => Uint8Array | string;
  /** Which classes of content its capture policy lets through. */
  readonly mayHave: readonly ContentClass[];
  /** How it calls our kinds of spans. */
  readonly words: Readonly<Partial<Record<SpanKind, string>>>;
  /** Whose span ids it has: where they are not ours, our key tells which span it is. */
  readonly ids: 'ours' | 'its own';
}

const TOKEN = 'pylf_v1_us_0123456789abcdef';
const OPERATIONS = { agent: 'invoke_agent', llm: 'chat', tool: 'execute_tool' } as const;
const OPENINFERENCE = { agent: 'AGENT', llm: 'LLM', tool: 'TOOL' } as const;
const LANGFUSE = { agent: 'AGENT', llm: 'GENERATION', tool: 'TOOL' } as const;
const SENTRY_OPS = { agent: 'gen_ai.invoke_agent', llm: 'gen_ai.chat', tool: 'gen_ai.execute_tool' } as const;
const EVERYTHING = [
  'prompt',
  'output',
  'thinking',
  'toolInput',
  'toolOutput',
  'toolError',
  'task',
  'location',
] as const;

const spansOf =
  (collector: Collector, kind: string): (() => readonly Row[]) =>
  () =>
    collector.spans().map(({ traceId, spanId, attributes }) => ({ traceId, span: spanId, kind: attributes[kind] }));

/** A provider whose traces one can tell from ours. */
export function hostTracing(): {
  readonly exporter: InMemorySpanExporter;
  readonly tracerProvider: BasicTracerProvider;
} {
  const exporter = new InMemorySpanExporter();
  const ids = new RandomIdGenerator();
  const idGenerator = {
    generateTraceId: () => `0e1${ids.generateTraceId().slice(3)}`,
    generateSpanId: () => ids.generateSpanId(),
  };
  return {
    exporter,
    tracerProvider: new BasicTracerProvider({ idGenerator, spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  };
}

type Backends<K extends string> = Readonly<Record<K, Backend>>;

/** Every kind of backend there is, each with another policy; on vendors' own SDKs where there are any, on a network that is a fake. */
export async function startBackends(stack: AsyncDisposableStack): Promise<Backends<Sent | Live>> {
  return { ...(await startSent(stack)), ...(await startLive(stack)) };
}

type Sent = 'otlp' | 'phoenix' | 'langfuse' | 'logfire';

async function startSent(stack: AsyncDisposableStack): Promise<Backends<Sent>> {
  const genai = stack.use(await startCollector());
  const openinference = stack.use(await startCollector());
  const langfuse = stack.use(await startFakeLangfuse());
  const logfire = stack.use(await startFakeLogfire(TOKEN));
  const keys = { publicKey: PUBLIC_KEY, secretKey: SECRET_KEY };
  return {
    otlp: {
      sink: otlpSink({ endpoint: genai.url, environment: {} }),
      rows: spansOf(genai, 'gen_ai.operation.name'),
      arrived: genai.bytes,
      mayHave: [],
      words: OPERATIONS,
      ids: 'ours',
    },
    phoenix: {
      sink: phoenix({ capture: 'full', environment: { PHOENIX_COLLECTOR_ENDPOINT: openinference.url } }),
      rows: spansOf(openinference, 'openinference.span.kind'),
      arrived: openinference.bytes,
      mayHave: EVERYTHING,
      words: OPENINFERENCE,
      ids: 'ours',
    },
    langfuse: {
      sink: langfuseSink({
        ...keys,
        baseUrl: langfuse.url,
        capture: { prompts: true },
        env: {},
      }),
      rows: () => observations(langfuse.spans()).map(({ traceId, id, type }) => ({ traceId, span: id, kind: type })),
      arrived: langfuse.bytes,
      mayHave: ['prompt'],
      words: LANGFUSE,
      ids: 'ours',
    },
    logfire: {
      sink: logfireSink({ token: TOKEN, baseUrl: logfire.url, capture: { outputs: true }, environment: {} }),
      rows: () =>
        records(logfire.spans()).map(({ traceId, spanId, attributes }) => {
          return { traceId, span: spanId, kind: attributes['gen_ai.operation.name'] };
        }),
      tracesOfRunning: () => logfire.spans().map(({ traceId }) => traceId),
      arrived: logfire.bytes,
      mayHave: ['output'],
      words: OPERATIONS,
      ids: 'ours',
    },
  };
}

type Live = 'otel' | 'sentry';

async function startLive(stack: AsyncDisposableStack): Promise<Backends<Live>> {
  const sentry = stack.use(await startSentryEndpoint());
  Sentry.init({ dsn: sentry.dsn, tracesSampleRate: 1, defaultIntegrations: false, traceLifecycle: 'stream' });
  stack.defer(() => void Sentry.close(1_000));
  const { exporter, tracerProvider } = hostTracing();
  return {
    otel: {
      sink: otelSink({ tracerProvider, capture: { toolInputs: true } }),
      rows: () =>
        exporter.getFinishedSpans().map((span) => {
          const { attributes } = span;
          return {
            traceId: span.spanContext().traceId,
            span: String(attributes['claude.key']),
            kind: attributes['gen_ai.operation.name'],
          };
        }),
      arrived: () =>
        JSON.stringify(
          exporter.getFinishedSpans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
        ),
      mayHave: ['toolInput', 'task'],
      words: OPERATIONS,
      ids: 'its own',
    },
    sentry: {
      sink: sentrySink({ capture: { toolOutputs: true } }),
      rows: () =>
        sentry
          .spans()
          .map(({ traceId, op, attributes }) => ({ traceId, span: String(attributes['claude.key']), kind: op })),
      arrived: sentry.text,
      mayHave: ['toolOutput', 'toolError'],
      words: SENTRY_OPS,
      ids: 'its own',
    },
  };
}

/** What a backend is to show of the spans that there were, in their order. */
export function expected({ words, ids }: Backend, spans: readonly Span[]): readonly Row[] {
  return spans.map(({ traceId, spanId, key, kind }) => {
    return { traceId, span: ids === 'ours' ? spanId : key, kind: words[kind] ?? 'other' };
  });
}

/** What it shows, in the order of arrival. Kinds of spans that it has no word for are `other`. */
export function shown({ words, rows }: Backend): readonly Row[] {
  const known = Object.values(words);
  return rows().map((row) => ({ ...row, kind: known.includes(String(row.kind)) ? row.kind : 'other' }));
}
