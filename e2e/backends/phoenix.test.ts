import { phoenix as phoenixSink } from '@spanprism/claude-otlp';
import { type CapturedSpan, type LlmSpan, memorySink, type Sink, type SpanKind } from '@spanprism/core';
import { text, when } from '@spanprism/testkit';
import { SAMPLE_TRACES } from '@spanprism/testkit/samples';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { runAgainst } from '../src/run-example.ts';
import { DELEGATED_TOKENS, delegatedRun } from './delegated-run.ts';
import { type Phoenix, type PhoenixSession, type PhoenixSpan, startPhoenix } from './phoenix.ts';
import { playRecording } from './play-recording.ts';

const build = inject('backends').phoenix;

/** OpenInference's kinds: what is neither agent nor model nor tool is a step of a chain. */
const KINDS: Readonly<Record<SpanKind, string>> = {
  agent: 'AGENT',
  llm: 'LLM',
  tool: 'TOOL',
  permission: 'CHAIN',
  hook: 'CHAIN',
  custom: 'CHAIN',
};

/** Microseconds since 1970. Phoenix counts in floating seconds, which are right to a few of them. */
function microsOf(time: string): number {
  const [, fraction = ''] = /\.(\d+)/.exec(time) ?? [];
  return Date.parse(time.replace(/\.\d+/, '')) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

const near = (nanos: bigint | undefined): unknown => expect.closeTo(Number((nanos ?? 0n) / 1000n), -1);

const expectedSpan = (span: CapturedSpan): object => ({
  id: span.spanId,
  trace: span.traceId,
  parent: span.parentSpanId ?? null,
  kind: KINDS[span.kind],
  status: span.status === 'error' ? 'ERROR' : 'UNSET',
  from: near(span.startedAt),
  to: near(span.endedAt),
});

const shownSpan = (span: PhoenixSpan): object => ({
  id: span.context.span_id,
  trace: span.context.trace_id,
  parent: span.parent_id,
  kind: span.span_kind,
  status: span.status_code,
  from: microsOf(span.start_time),
  to: microsOf(span.end_time),
});

interface Figures {
  readonly tokenCountPrompt: number | null;
  readonly tokenCountCompletion: number | null;
  readonly tokenCountTotal: number | null;
}

interface ShownCall extends Figures {
  readonly tokenPromptDetails: { readonly cacheRead: number | null; readonly cacheWrite: number | null };
  readonly costSummary: { readonly total: { readonly cost: number | null } } | null;
}

const CALL = `query ($id: String!) { getSpanByOtelId(spanId: $id) {
  tokenCountPrompt tokenCountCompletion tokenCountTotal
  tokenPromptDetails { cacheRead cacheWrite }
  costSummary { total { cost } }
} }`;

const PROJECT = `query ($name: String!) { getProjectByName(name: $name) {
  recordCount traceCount tokenCountPrompt tokenCountCompletion tokenCountTotal costSummary { total { cost } }
} }`;

const SESSION = `query ($id: String!) { getProjectSessionById(sessionId: $id) {
  numTraces userId firstInput { value } lastOutput { value }
} }`;

interface ShownProject extends Figures {
  readonly recordCount: number;
  readonly traceCount: number;
  readonly costSummary: { readonly total: { readonly cost: number | null } };
}

const isCall = (span: CapturedSpan): span is LlmSpan & CapturedSpan => span.kind === 'llm';
const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((all, value) => all + (value ?? 0), 0);

/** Phoenix prices by a table of its own. */
const dollars = (cost: number): unknown => ({ total: { cost: expect.closeTo(cost, 9) } });

function expectedCall({ usage, costUsd = Number.NaN }: LlmSpan): object {
  const { inputTokens = Number.NaN, outputTokens = Number.NaN } = usage ?? {};
  return {
    tokenCountPrompt: inputTokens,
    tokenCountCompletion: outputTokens,
    tokenCountTotal: inputTokens + outputTokens,
    tokenPromptDetails: { cacheRead: usage?.cacheReadTokens, cacheWrite: usage?.cacheWriteTokens },
    costSummary: dollars(costUsd),
  };
}

function expectedProject(spans: readonly CapturedSpan[]): object {
  const calls = spans.filter(isCall);
  const input = sum(calls.map(({ usage }) => usage?.inputTokens));
  const output = sum(calls.map(({ usage }) => usage?.outputTokens));
  return {
    recordCount: spans.length,
    traceCount: new Set(spans.map(({ traceId }) => traceId)).size,
    tokenCountPrompt: input,
    tokenCountCompletion: output,
    tokenCountTotal: input + output,
    costSummary: dollars(sum(calls.map(({ costUsd }) => costUsd))),
  };
}

const sorted = (ids: readonly string[]): readonly string[] => [...new Set(ids)].toSorted();

type Play = (sinks: readonly Sink[]) => Promise<unknown>;

const RECORDED = ['foreground-subagent', 'three-tools-at-once', 'failing-tools', 'three-turns'];
const RUNS: readonly (readonly [string, Play])[] = [
  ...RECORDED.map((name) => [name, (sinks: readonly Sink[]) => playRecording(name, sinks)] as const),
  ['real-claude', delegatedRun],
];

describe.skipIf(build.absent !== undefined)('a real Phoenix', () => {
  let phoenix: Phoenix;

  beforeAll(async () => {
    phoenix = await startPhoenix(build.folder ?? '');
  });
  afterAll(() => phoenix?.stop());

  const sinkFor = (project: string): Sink => phoenixSink({ server: phoenix.url, project, environment: {} });

  async function shownSpans(project: string, count: number): Promise<readonly PhoenixSpan[]> {
    const list = (): Promise<readonly PhoenixSpan[]> => phoenix.list<PhoenixSpan>(project, 'spans');
    await expect.poll(async () => (await list()).length, { timeout: 15_000 }).toBe(count);
    return list();
  }

  const shownCall = async ({ spanId }: CapturedSpan): Promise<ShownCall> =>
    (await phoenix.ask<{ getSpanByOtelId: ShownCall }>(CALL, { id: spanId })).getSpanByOtelId;

  const shownProject = async (name: string): Promise<ShownProject> =>
    (await phoenix.ask<{ getProjectByName: ShownProject }>(PROJECT, { name })).getProjectByName;

  test.each(RUNS)('shows %s with the kinds, tokens, cost and session that it had', async (project, play) => {
    const memory = memorySink();
    await play([memory, sinkFor(project)]);
    const canonical = memory.spans.toSorted((left, right) => left.spanId.localeCompare(right.spanId));
    const shown = await shownSpans(project, canonical.length);
    const inOrder = shown.toSorted((left, right) => left.context.span_id.localeCompare(right.context.span_id));
    expect(inOrder.map(shownSpan)).toEqual(canonical.map(expectedSpan));
    const calls = canonical.filter(isCall);
    expect(await Promise.all(calls.map(shownCall))).toEqual(calls.map(expectedCall));
    expect(await shownProject(project)).toEqual(expectedProject(canonical));
    const sessions = await phoenix.list<PhoenixSession>(project, 'sessions');
    expect(sessions.map(({ session_id }) => session_id)).toEqual(sorted(canonical.map((span) => span.sessionId ?? '')));
    expect(sorted(sessions.flatMap(({ traces }) => traces.map(({ trace_id }) => trace_id)))).toEqual(
      sorted(canonical.map(({ traceId }) => traceId)),
    );
    expect(sum(sessions.map(({ token_count_total }) => token_count_total))).toBe(
      sum(calls.map(({ usage }) => (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0))),
    );
  });

  test('has counted the run of the real claude once, its subagent included', async () => {
    const { tokenCountPrompt, tokenCountCompletion } = await shownProject('real-claude');
    expect([tokenCountPrompt, tokenCountCompletion]).toEqual([DELEGATED_TOKENS.input, DELEGATED_TOKENS.output]);
  });

  test('shows both turns of the example as one session of its user', async () => {
    const { ended } = await runAgainst({
      rules: [
        when.lastUserText('Look around').reply(text('Programs and a demo.')),
        when.lastUserText('And now?').reply(text('The demo.')),
      ],
      file: 'phoenix.ts',
      words: ['Look around', 'And now?'],
      env: () => ({ PHOENIX_COLLECTOR_ENDPOINT: phoenix.url }),
    });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    await shownSpans('guide', 4);
    const [session, ...others] = await phoenix.list<PhoenixSession>('guide', 'sessions');
    expect([session?.traces.length, others]).toEqual([2, []]);
    expect(await phoenix.ask(SESSION, { id: session?.session_id })).toEqual({
      getProjectSessionById: {
        numTraces: 2,
        userId: 'ada',
        firstInput: { value: 'Look around' },
        lastOutput: { value: 'The demo.' },
      },
    });
  });

  test('counts and prices cached input as Anthropic does', async () => {
    const spans = SAMPLE_TRACES['text-and-tool'] ?? [];
    const sink = sinkFor('cached');
    for (const span of spans) sink.spanEnd(span);
    await sink.close(10_000);
    await shownSpans('cached', spans.length);
    const [call] = spans.filter(isCall);
    if (call === undefined) throw new Error('the sample has no call');
    // 5 tokens that no cache knew, 128,955 read from one and 1,253 written to one, by the price list of Claude Sonnet 4.5.
    expect(await shownCall(call)).toMatchObject({
      tokenCountPrompt: 130_213,
      tokenPromptDetails: { cacheRead: 128_955, cacheWrite: 1253 },
      costSummary: dollars((5 * 3 + 128_955 * 0.3 + 1253 * 3.75 + 210 * 15) / 1e6),
    });
  });
});
