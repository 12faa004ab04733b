import type { AgentSpan, IssueCode, LlmSpan, Span } from '@spanprism/core';
import type { WireCall, WireUsage } from '@spanprism/testkit';
import { expect } from 'vitest';
import type { Run } from './run-scenario.ts';

/** US dollars per million tokens: platform.claude.com/docs/en/about-claude/pricing. */
const PRICES: Readonly<Record<string, { input: number; output: number; cacheWrite: number; cacheRead: number }>> = {
  'claude-sonnet-4-5': { input: 3, output: 15, cacheWrite: 3.75, cacheRead: 0.3 },
  'claude-opus-4-6': { input: 5, output: 25, cacheWrite: 6.25, cacheRead: 0.5 },
};

/** In what a run may differ from the plain case. */
export interface Expected {
  /** Issues of the whole run by code, each as often as it occurs. `approximate_time` is not counted. */
  readonly issues?: readonly IssueCode[];
  /** Request ids of calls on the wire that are no span of their own: attempts of another call. */
  readonly attempts?: readonly string[];
  /** The sources could not know usage or cost of these calls. */
  readonly unpriced?: readonly string[];
  /** How many traces there are; 1 unless given. */
  readonly traces?: number;
}

/** Holds a trace against what must hold for every trace, and against the figures on the wire. */
export function checkTrace(run: Run, expected: Expected = {}): void {
  expect(run.diagnostics).toEqual([]);
  expect(run.undelivered).toBeUndefined();
  checkDelivery(run);
  checkShape(run.spans);
  checkFigures(run, expected);
  const issues = run.spans.flatMap((span) => span.issues.map(({ code }) => code));
  expect(issues.filter((code) => code !== 'approximate_time').toSorted(), 'issues').toEqual(
    (expected.issues ?? []).toSorted(),
  );
  expect(new Set(run.spans.map(({ traceId }) => traceId)).size, 'traces').toBe(expected.traces ?? 1);
  expect(run.stats).toMatchObject({ caught: 0, queries: { open: 0 }, observations: { late: 0, unplaced: 0 } });
}

/** Every span starts once and ends once, parents first; a turn's end comes once, after all that belongs to it. */
export function checkDelivery({ told, spans }: Pick<Run, 'told' | 'spans'>): void {
  const started: Set<string> = new Set();
  const ended: Set<string> = new Set();
  const delivered: Set<string> = new Set();
  const rootOf = rootsOf(spans);
  for (const event of told) {
    if (event.what === 'turnEnd') {
      expect(ended, `a turn ends after its root span ${event.spanId}`).toContain(event.spanId);
      expect(delivered, 'a turn ends once').not.toContain(event.spanId);
      delivered.add(event.spanId);
      continue;
    }
    const { span, what } = event;
    expect(delivered, `${span.key} comes before the end of its turn`).not.toContain(rootOf.get(span.spanId));
    if (what === 'start') {
      expect(started, `${span.key} starts once`).not.toContain(span.spanId);
      if (span.parentSpanId !== undefined && span.parentIsRemote !== true) {
        expect(started, `the parent of ${span.key} starts first`).toContain(span.parentSpanId);
      }
      started.add(span.spanId);
    } else {
      expect(started, `${span.key} starts before it ends`).toContain(span.spanId);
      expect(ended, `${span.key} ends once`).not.toContain(span.spanId);
      ended.add(span.spanId);
    }
  }
  expect(ended, 'every span that started has ended').toEqual(started);
  expect(delivered, 'every root has an end of its delivery').toEqual(new Set(rootOf.values()));
}

/** No orphan, no time that runs backwards, one session per trace tree, keys that are unique. */
export function checkShape(spans: readonly Span[]): void {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size, 'span ids are unique').toBe(spans.length);
  expect(new Set(spans.map(({ key }) => key)).size, 'keys are unique').toBe(spans.length);
  for (const span of spans) {
    expect(span.endedAt, `${span.key} has an end`).toBeTypeOf('bigint');
    expect(span.endedAt! >= span.startedAt, `${span.key} does not end before it starts`).toBe(true);
    if (span.parentSpanId === undefined || span.parentIsRemote === true) continue;
    const parent = byId.get(span.parentSpanId);
    expect(parent, `${span.key} has its parent`).toBeDefined();
    expect(parent?.traceId, `${span.key} is in the trace of its parent`).toBe(span.traceId);
    expect(parent!.startedAt <= span.startedAt, `${span.key} starts with or after its parent`).toBe(true);
  }
}

/** Each call on the wire is one llm span with its final figures, and nothing is left over or counted twice. */
function checkFigures({ spans, calls }: Run, { attempts = [], unpriced = [] }: Expected): void {
  const llm = spans.filter((span) => span.kind === 'llm');
  const named = llm.flatMap(({ requestId }) => requestId ?? []);
  const counted = calls.filter(({ requestId }) => !attempts.includes(requestId));
  expect(named.toSorted(), 'calls').toEqual(counted.map(({ requestId }) => requestId).toSorted());
  for (const call of counted) {
    const span = llm.find(({ requestId }) => requestId === call.requestId)!;
    expect(span.requestModel, `model of ${call.requestId}`).toBe(call.model);
    if (unpriced.includes(call.requestId)) continue;
    checkCall(span, call);
  }
  const open = spans.filter((span): span is AgentSpan => span.kind === 'agent' && span.unattributed !== undefined);
  const isDeclared = (span: AgentSpan): boolean => span.issues.some(({ code }) => code === 'unattributed');
  expect(open.every(isDeclared), 'whatever is left over is declared').toBe(true);
}

function checkCall(span: LlmSpan, call: WireCall): void {
  const label = `figures of ${call.requestId}`;
  expect(call.usage, `${label} on the wire`).toBeDefined();
  if (call.usage === undefined) return;
  expect(span.usage, label).toMatchObject(inclusive(call.usage));
  expect(span.stopReason, label).toBe(call.stopReason);
  expect(span.status, label).toBe('ok');
  const cost = costOf(call.model, call.usage);
  if (span.usage !== undefined && cost !== undefined) expect(span.costUsd, label).toBeCloseTo(cost, 9);
}

/** As OpenTelemetry counts: the input includes what was read from and written to the cache. */
export function inclusive(usage: WireUsage): object {
  const { input_tokens: input, output_tokens: outputTokens } = usage;
  const { cache_read_input_tokens: cacheReadTokens = 0, cache_creation_input_tokens: cacheWriteTokens = 0 } = usage;
  return { inputTokens: input + cacheReadTokens + cacheWriteTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
}

export function costOf(model: string, usage: WireUsage): number | undefined {
  const price = PRICES[model];
  if (price === undefined) return undefined;
  const micros =
    usage.input_tokens * price.input +
    usage.output_tokens * price.output +
    (usage.cache_creation_input_tokens ?? 0) * price.cacheWrite +
    (usage.cache_read_input_tokens ?? 0) * price.cacheRead;
  return micros / 1e6;
}

/** The root of the delivery that each span is part of: the top of its tree, or the segment it is in. */
function rootsOf(spans: readonly Span[]): Map<string, string> {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const rootOf = (span: Span): string => {
    const isSegment = span.kind === 'agent' && span.isSegment === true;
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId);
    return isSegment || parent === undefined ? span.spanId : rootOf(parent);
  };
  return new Map(spans.map((span) => [span.spanId, rootOf(span)]));
}
