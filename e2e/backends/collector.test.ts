import { genaiDialect, otlpSink, type OtlpSinkOptions } from '@spanprism/claude-otlp';
import { type CapturedSpan, memorySink, type Sink } from '@spanprism/core';
import type { CollectedSpan } from '@spanprism/testkit';
import { SAMPLE_TRACES } from '@spanprism/testkit/samples';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type RealCollector, startRealCollector } from './collector.ts';
import { delegatedRun } from './delegated-run.ts';
import { playRecording } from './play-recording.ts';

const build = inject('backends').collector;

const ENCODINGS = {
  'protobuf in gzip': { protocol: 'http/protobuf', compression: 'gzip' },
  'plain protobuf': { protocol: 'http/protobuf', compression: 'none' },
  'JSON in gzip': { protocol: 'http/json', compression: 'gzip' },
  'plain JSON': { protocol: 'http/json', compression: 'none' },
} as const satisfies Readonly<Record<string, OtlpSinkOptions>>;

/** OTLP's numbers of span kinds and status codes. */
const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const CODES = { unset: 0, ok: 1, error: 2 } as const;

const dialect = genaiDialect();

/** What of a span must come back, from the canonical one. */
function expected(span: CapturedSpan): object {
  const { code, message = '' } = dialect.status(span);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: nameOf(span),
    kind: KINDS[span.kind === 'llm' ? 'client' : 'internal'],
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    attributes: dialect.attributes(span),
    events: dialect.events(span),
    links: dialect.links(span).map((link) => ({ traceId: span.traceId, ...link })),
    status: { code: CODES[code], message },
  };
}

/** As the README has it. */
function nameOf(span: CapturedSpan): string {
  switch (span.kind) {
    case 'agent':
      return `invoke_agent ${span.agentName}`;
    case 'llm':
      return `chat ${span.requestModel}`;
    case 'tool':
      return `execute_tool ${span.toolName}`;
    case 'permission':
      return `permission ${span.toolName}`;
    case 'hook':
      return `hook ${span.hookEvent}`;
    case 'custom':
      return span.name;
  }
}

/** A span without where it came from. */
function returned(span: CollectedSpan): object {
  return Object.fromEntries(Object.entries(span).filter(([key]) => key !== 'resource' && key !== 'scope'));
}

const byId = <Item extends { readonly spanId: string }>(spans: readonly Item[]): readonly Item[] =>
  spans.toSorted((left, right) => (left.spanId < right.spanId ? -1 : 1));

const RECORDED = ['foreground-subagent', 'failing-tools', 'mcp-tools', 'partials-with-thinking'];
const RUNS: readonly (readonly [string, (sinks: readonly Sink[]) => Promise<unknown>])[] = [
  ...RECORDED.map((name) => [name, (sinks: readonly Sink[]) => playRecording(name, sinks)] as const),
  ['a run of the real claude', delegatedRun],
];

describe.skipIf(build.absent !== undefined)('a real OpenTelemetry Collector', () => {
  let collector: RealCollector;

  beforeAll(async () => {
    collector = await startRealCollector(build.folder ?? '');
  });
  afterAll(() => collector?.stop());

  test.each(RUNS)('hands back %s in every encoding, each span once', async (run, play) => {
    const memory = memorySink();
    // Each encoding is a service of its own.
    const serviceOf = (encoding: string): string => `${run}: ${encoding}`;
    const sinks = Object.entries(ENCODINGS).map(([name, encoding]) =>
      otlpSink({ ...encoding, name, serviceName: serviceOf(name), endpoint: collector.url, environment: {} }),
    );
    const before = (await collector.spans(0)).length;
    await play([memory, ...sinks]);
    const count = before + sinks.length * memory.spans.length;
    const all = await collector.spans(count);
    expect(all.length).toBe(count);
    for (const name of Object.keys(ENCODINGS)) {
      const arrived = all.filter(({ resource }) => resource['service.name'] === serviceOf(name));
      expect(byId(arrived).map(returned), name).toEqual(byId(memory.spans).map(expected));
    }
  });

  test('takes the metrics too, and complains of nothing', async () => {
    const names = (): readonly string[] => collector.metrics().map(({ name }) => name);
    await expect
      .poll(names, { timeout: 15_000 })
      .toEqual(expect.arrayContaining(['gen_ai.client.token.usage', 'claude_code.token.usage']));
    expect(collector.log()).not.toMatch(/\t(warn|error)\t/);
  });

  test('has every span exactly once after it was down for a while', async () => {
    const serviceName = 'outage';
    const sink = otlpSink({
      endpoint: collector.url,
      serviceName,
      metrics: false,
      environment: {},
      diag: () => undefined,
    });
    const before = (await collector.spans(0)).length;
    const spans = Object.values(SAMPLE_TRACES).flat();
    const tell = (part: readonly CapturedSpan[]): void => {
      for (const span of part) sink.spanEnd(span);
    };
    const third = Math.ceil(spans.length / 3);
    tell(spans.slice(0, third));
    await sink.flush(15_000);
    await collector.down();
    tell(spans.slice(third, 2 * third));
    await expect(sink.flush(1000)).rejects.toThrow(/cannot be reached/);
    await collector.up();
    tell(spans.slice(2 * third));
    await sink.close(15_000);
    const all = await collector.spans(before + spans.length);
    const arrived = all.filter(({ resource }) => resource['service.name'] === serviceName);
    expect(byId(arrived).map(returned)).toEqual(byId(spans).map(expected));
  });
});
