import { describe, expect, test } from 'vitest';
import { randomIds } from '../model/ids.ts';
import type { CallPassed, Observation } from '../model/observation.ts';
import type { LlmSpan, Span } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import { Assembler } from './assembler.ts';

const START = 1_000_000_000_000_000_000n;
const SETTLE_MS = 2_000;

type Expects = ConstructorParameters<typeof Assembler>[0]['expects'];

function setUp(expects: Expects) {
  const spans: Span[] = [];
  const clock = { now: (): UnixNano => START };
  const assembler = new Assembler({
    output: { start: () => undefined, end: (span) => void spans.push(span), turnEnd: () => undefined },
    ids: randomIds(),
    clock,
    expects,
    agentName: 'claude',
    attributes: {},
    settleMs: SETTLE_MS,
    isResumed: false,
  });
  const observe = (...seen: readonly Observation[]): void => seen.forEach((one) => assembler.observe(one));
  return {
    assembler,
    spans,
    clock,
    observe,
    calls: () => spans.filter((span): span is LlmSpan => span.kind === 'llm'),
  };
}

let ids = 0;
const seen = <T extends object, S extends string>(source: S, rest: T): T & { id: string; source: S; at: UnixNano } => ({
  id: `id-${(ids += 1)}`,
  source,
  at: START,
  ...rest,
});

const passed = (requestId: string, rest: Partial<CallPassed> = {}): CallPassed => ({
  ...seen('wire', {
    type: 'call-passed',
    agent: {},
    call: { requestId },
    replaces: [],
    startedAt: START,
    endedAt: START,
    model: 'm',
    purpose: 'turn',
    usage: { inputTokens: 1, outputTokens: 1 },
    wasCut: false,
    retries: [],
    input: [],
    output: [],
    gaps: [],
  } as const),
  ...rest,
});

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `req_${index}`);

describe('calls of which only the wire knows', () => {
  test('wait for a turn in bounded number, and are traces of their own where none is ever told of', () => {
    const { assembler, observe, calls } = setUp({ sdk: false, cli: true, wire: true });
    const requests = many(10_000);
    let held = 0;
    requests.forEach((request, index) => {
      observe(passed(request));
      if (index % 500 === 0) held = Math.max(held, assembler.held);
    });
    expect(held).toBeLessThan(1_000);
    assembler.end();
    expect(calls().map(({ requestId }) => requestId)).toEqual(requests);
    for (const call of calls())
      expect(call).toMatchObject({ usage: { inputTokens: 1 }, issues: [{ code: 'parent_unknown' }] });
    expect(new Set(calls().map(({ traceId }) => traceId)).size).toBe(requests.length);
    expect(assembler.counters.unplaced).toBe(0);
    expect(assembler.held).toBe(0);
  });
});

test('what waits for another source does so no longer because the clock was set back meanwhile', () => {
  const { assembler, spans, clock, observe } = setUp({ sdk: true, cli: true });
  observe(
    seen('sdk', { type: 'turn-start', turn: 0 } as const),
    seen('cli', { type: 'turn-start', turn: 0 } as const),
    seen('sdk', { type: 'turn-result', turn: 0, subtype: 'success', isError: false, permissionDenials: 0 } as const),
  );
  expect(assembler.nextDeadlineMs()).toBe(SETTLE_MS);
  clock.now = () => START - 3_600_000_000_000n;
  expect(assembler.nextDeadlineMs()).toBe(SETTLE_MS);
  expect(spans).toEqual([]);
  assembler.sweep();
  expect(spans).toMatchObject([{ kind: 'agent', outcome: 'completed' }]);
});
