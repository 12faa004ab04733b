import { answer, type CollectedSpan, type Collector, type Rule, text, when } from '@spanprism/testkit';
import { expect } from 'vitest';
import type { Collecting, Cost } from './collect-process.ts';
import { agent, bash, usage } from './replies.ts';

/** A tool, a subagent with a tool of its own, and an answer. */
export const RULES: readonly Rule[] = [
  when.toolResult('sub').reply(answer(text('All done.'), { usage: usage(700, 70) })),
  when.toolResult('inner').reply(answer(text('The subagent is done.'), { usage: usage(600, 60) })),
  when.toolResult('outer').reply(answer(agent('sub', 'LOOK AROUND', false), { usage: usage(500, 50) })),
  when.lastUserText(/LOOK AROUND/).reply(answer(bash('inner', 'echo inner'), { usage: usage(400, 40) })),
  when.lastUserText(/begin/).reply(answer(bash('outer', 'sleep 0.1'), { usage: usage(300, 30) })),
];

const sessionOf = (span: CollectedSpan): unknown => span.attributes['gen_ai.conversation.id'];

/** Names by place in the tree; each level two calls, a tool and so on. Throws on a span whose parent is not there. */
export function shape(spans: readonly CollectedSpan[]): readonly string[] {
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const depth = (span: CollectedSpan): number => {
    // A turn may stand below a span of another process.
    if (span.parentSpanId === undefined || span.name === 'invoke_agent claude') return 0;
    const parent = known.get(span.parentSpanId);
    if (parent === undefined) throw new Error(`${span.name} has lost its parent`);
    return 1 + depth(parent);
  };
  return spans.map((span) => `${' '.repeat(depth(span))}${span.name.replace(/^chat .*/, 'chat')}`).toSorted();
}

export const FULL_SHAPE = [
  'invoke_agent claude',
  ...[' chat', ' chat', ' chat', ' execute_tool Agent', ' execute_tool Bash'],
  '  invoke_agent general-purpose',
  ...['   chat', '   chat', '   execute_tool Bash'],
].toSorted();

function costOf(spans: readonly CollectedSpan[]): Omit<Cost, 'sessionId'> {
  const calls = spans.filter(({ name }) => name.startsWith('chat'));
  const sum = (key: string): number => calls.reduce((total, { attributes }) => total + Number(attributes[key] ?? 0), 0);
  return {
    calls: calls.length,
    inputTokens: sum('gen_ai.usage.input_tokens'),
    outputTokens: sum('gen_ai.usage.output_tokens'),
  };
}

/** Spans by id. One that was told again after a restart is the same again. */
export function distinct(spans: readonly CollectedSpan[]): readonly CollectedSpan[] {
  const known = new Map<string, CollectedSpan>();
  for (const span of spans) {
    expect(known.get(span.spanId) ?? span).toEqual(span);
    known.set(span.spanId, span);
  }
  return [...known.values()];
}

export function expectWhole(backend: Collector, { sessionId, ...cost }: Cost): void {
  const spans = distinct(backend.spans().filter((span) => sessionOf(span) === sessionId));
  expect(shape(spans)).toEqual(FULL_SHAPE);
  expect(costOf(spans)).toEqual(cost);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
}

export const PROTOCOLS = {
  'http/protobuf': ({ http }: Collecting) => http,
  'http/json': ({ http }: Collecting) => http,
  grpc: ({ grpc }: Collecting) => grpc,
} as const;

export const exportsTo = (collecting: Collecting, protocol: keyof typeof PROTOCOLS): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_ENDPOINT: PROTOCOLS[protocol](collecting),
});
