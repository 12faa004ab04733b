import type { CapturedSpan, SpanId, SpanKey } from '@spanprism/core';
import { agent, llm, spanId, tool } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { inSession, storeOf } from './__fixtures__/store-folder.ts';
import type { CostDimension, CostReport, RunFilter, Store } from './store.ts';

/**
 * A turn of 71,000,005 × 1e-9 USD: a first call, two tools at once, a call that carries both, a subagent, and a call that carries that.
 * What the turn's totals have beyond its calls is 1,000,000.
 */
const TURN: readonly CapturedSpan[] = [
  llm({ id: 2, parent: 1, ms: [0, 100], costUsd: 0.01, usage: { inputTokens: 10, outputTokens: 1 } }),
  tool({ id: 3, parent: 1, ms: [90, 300], toolName: 'Bash' }),
  tool({ id: 4, parent: 1, ms: [95, 200], toolName: 'mcp__db__query', mcpServer: 'db' }),
  llm({ id: 5, parent: 1, ms: [310, 400], costUsd: 0.020_000_005, usage: { inputTokens: 20, outputTokens: 2 } }),
  llm({
    id: 7,
    parent: 8,
    ms: [420, 500],
    agentName: 'Explore',
    requestModel: 'claude-haiku-4-5',
    costUsd: 0.03,
    usage: { inputTokens: 30, outputTokens: 3 },
  }),
  agent({ id: 8, parent: 6, ms: [410, 510], role: 'subagent', agentName: 'Explore' }),
  tool({ id: 6, parent: 1, ms: [400, 520], toolName: 'Agent' }),
  llm({ id: 9, parent: 1, ms: [530, 600], costUsd: 0.01, usage: { inputTokens: 40, outputTokens: 4 } }),
  agent({
    id: 1,
    ms: [0, 610],
    unattributed: { usage: { inputTokens: 5 }, costUsd: 0.001 },
    attributes: { project: 'shop', 'user.id': 'ada', 'vcs.ref.head.name': 'main', tags: '["nightly","ci"]' },
  }),
];

const DIMENSIONS: readonly CostDimension[] = [
  'tool',
  'model',
  'project',
  'session',
  'day',
  'user',
  'subagent',
  'mcp-server',
  'branch',
];

/** Names with their money. */
function money({ rows }: CostReport): Record<string, number> {
  return Object.fromEntries(rows.map(({ name, costNanoUsd }) => [name, costNanoUsd]));
}

function costs(store: Store, by: CostDimension, filter?: RunFilter): Record<string, number> {
  return money(store.cost(filter === undefined ? { by } : { by, filter }));
}

test('a call belongs to the tool calls whose results it was the first to carry, in equal shares, the remainder to the first', () => {
  const store = storeOf(TURN);
  // The first call carries nothing, nor does the subagent's; 20,000,005 is shared by two.
  expect(costs(store, 'tool')).toEqual({
    Bash: 10_000_003,
    mcp__db__query: 10_000_002,
    Agent: 10_000_000,
    unattributed: 41_000_000,
  });
  expect(costs(store, 'mcp-server')).toEqual({ db: 10_000_002, unattributed: 61_000_003 });
  const carried = store
    .run('7d3c')
    ?.spans.flatMap(({ name, carriedNanoUsd }) => (carriedNanoUsd ? [name, carriedNanoUsd] : []));
  expect(carried).toEqual(['Bash', 10_000_003, 'mcp__db__query', 10_000_002, 'Agent', 10_000_000]);
});

test('runs whose agents have the same id, as programs mint them, are not taken for one when they come together', () => {
  const store = storeOf([...inSession('one', TURN), ...inSession('two', TURN)]);
  // Twice what one has alone.
  expect(costs(store, 'tool')).toEqual({
    Bash: 20_000_006,
    mcp__db__query: 20_000_004,
    Agent: 20_000_000,
    unattributed: 82_000_000,
  });
});

test('calls are grouped by model, subagent and day; what no call accounts for is in the run and in its day', () => {
  const store = storeOf(TURN);
  expect(costs(store, 'model')).toEqual({
    'claude-sonnet-4-5': 40_000_005,
    'claude-haiku-4-5': 30_000_000,
    unattributed: 1_000_000,
  });
  expect(costs(store, 'subagent')).toEqual({ main: 40_000_005, Explore: 30_000_000, unattributed: 1_000_000 });
  expect(costs(store, 'day')).toEqual({ '2026-11-21': 71_000_005, unattributed: 0 });
  for (const [by, name] of Object.entries({ project: 'shop', user: 'ada', branch: 'main' })) {
    expect(costs(store, by as CostDimension)).toEqual({ [name]: 71_000_005, unattributed: 0 });
  }
  const { rows, total } = store.cost({ by: 'model' });
  expect(rows.map(({ calls, usage }) => [calls, usage?.inputTokens, usage?.outputTokens])).toEqual([
    [3, 70, 7],
    [1, 30, 3],
    [0, 5, 0],
  ]);
  expect(total).toMatchObject({
    runs: 1,
    calls: 4,
    unpricedCalls: 0,
    usage: { inputTokens: 105 },
    costNanoUsd: 71_000_005,
  });
});

/** A fixed order of its own for each number. */
function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  let state = seed * 2_654_435_761 + 1;
  const next = (): number => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) >>> 0;
    return state;
  };
  return items
    .map((item) => ({ item, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

const everything = (store: Store): unknown =>
  DIMENSIONS.map((by) => [store.cost({ by }), store.cost({ by, filter: { failed: false } })]);

test('the order in which spans arrive changes no sum, and neither does a second arrival', () => {
  const expected = everything(storeOf(TURN));
  expect(everything(storeOf(...TURN.map((span) => [span]), TURN))).toEqual(expected);
  expect(everything(storeOf(...TURN.toReversed().map((span) => [span])))).toEqual(expected);
  for (let seed = 1; seed <= 30; seed++) {
    const order = shuffled(TURN, seed);
    const cut = seed % order.length;
    expect(everything(storeOf(order.slice(0, cut), order.slice(cut), order))).toEqual(expected);
  }
});

test('every grouping adds up to the total, with and without a filter', () => {
  const odd = TURN.map((span) => (span.kind === 'llm' ? { ...span, costUsd: (span.costUsd ?? 0) / 3 + 1e-9 } : span));
  const bare = [llm({ id: 2, parent: 1, ms: [0, 10], usage: { inputTokens: 1 } }), agent({ id: 1, ms: [0, 20] })];
  const store = storeOf(inSession('a', TURN), inSession('b', odd), inSession('c', bare));
  for (const by of DIMENSIONS) {
    for (const filter of [{}, { project: 'shop' }, { minCostUsd: 0.05 }, { limit: 1 }, { model: 'claude-haiku-4-5' }]) {
      const { rows, total } = store.cost({ by, filter });
      const sum = rows.reduce((so, { costNanoUsd }) => so + costNanoUsd, 0);
      expect(sum, `${by} ${JSON.stringify(filter)}`).toBe(total.costNanoUsd);
      expect(rows.at(-1)?.isUnattributed).toBe(true);
    }
  }
  expect(store.cost({ by: 'session' }).total).toMatchObject({ runs: 3, calls: 9, unpricedCalls: 1 });
  expect(costs(store, 'session', { minCostUsd: 0.05 })).toEqual({ a: 71_000_005, unattributed: 0 });
});

test('a turn that is imported under other ids is not doubled, and what the live trace lacked hangs below it', () => {
  const id = (span: CapturedSpan): CapturedSpan => ({
    ...span,
    spanId: `f${span.spanId.slice(1)}` as SpanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: `f${span.parentSpanId.slice(1)}` as SpanId }),
  });
  const imported = TURN.map(id);
  const live = TURN.filter(({ spanId: own }) => own !== spanId(9));
  // Before and after the span of which it learns that both are one.
  for (const order of [imported, imported.toReversed()]) {
    const store = storeOf(live, order);
    expect(everything(store)).toEqual(everything(storeOf(TURN)));
    const spans = store.run('7d3c')?.spans ?? [];
    expect(spans.length).toBe(TURN.length);
    expect(spans.filter(({ parentSpanId }) => parentSpanId === spanId(1)).length).toBe(6);
  }
});

test('a copy of history in another session is counted once, and makes no run', () => {
  const fork = TURN.map((span) => ({ ...span, sessionId: 'fork' }));
  expect(
    storeOf(TURN, fork)
      .runs()
      .map(({ spans, costNanoUsd }) => [spans, costNanoUsd]),
  ).toEqual([[9, 71_000_005]]);
});

test('a run that is named a project goes there with all it has cost, from wherever it was', () => {
  const [first, second] = [TURN.slice(0, 4), TURN.slice(4)];
  const inFolder = agent({ id: 20, ms: [0, 1], cwd: '/home/ada/clone-2' });
  // One transaction each: without a project, in that of its folder, in its own.
  const store = storeOf(first, [inFolder], second);
  expect(costs(store, 'project')).toEqual({ shop: 71_000_005, unattributed: 0 });
  expect(costs(storeOf(first, [inFolder]), 'project')).toEqual({ 'clone-2': 30_000_005, unattributed: 0 });
  expect(costs(storeOf(first), 'project')).toEqual({ unattributed: 30_000_005 });
});

test('a title costs nobody, and a call without a price gives nothing', () => {
  const spans = [
    tool({ id: 3, parent: 1, ms: [0, 10] }),
    llm({ id: 4, parent: 1, ms: [20, 30], purpose: 'title', costUsd: 0.5 }),
    llm({ id: 5, parent: 1, ms: [25, 40] }),
    llm({ id: 6, parent: 1, ms: [50, 60], costUsd: 0.25 }),
  ];
  const store = storeOf(spans.map((span) => ({ ...span, key: `k${span.spanId}` as SpanKey })));
  expect(costs(store, 'tool')).toEqual({ Bash: 0, unattributed: 750_000_000 });
  expect(store.runs()[0]?.unpricedCalls).toBe(1);
});

test('a long turn is shared out the same in however many transactions and whatever order it comes', () => {
  const random = numbers(11);
  const spans = Array.from({ length: 240 }, (_, index): CapturedSpan => {
    // Many at the same instant.
    const start = Math.floor(random() * 60);
    const draft = { id: index + 2, parent: 1, ms: [start, start + Math.floor(random() * 8)] as const };
    const costUsd = Math.floor(random() * 1e6) / 1e9;
    if (random() < 0.6) return tool({ ...draft, toolName: `tool ${Math.floor(random() * 4)}` });
    return llm({ ...draft, costUsd, purpose: random() < 0.9 ? 'turn' : 'title' });
  });
  const expected = sharesByHand(spans);
  expect(Object.keys(expected).length).toBe(5);
  for (const size of [240, 40, 7, 1]) {
    const shuffled = spans.map((span) => ({ span, at: random() })).sort((a, b) => a.at - b.at);
    const batches = Array.from({ length: Math.ceil(spans.length / size) }, (_, index) =>
      shuffled.slice(index * size, (index + 1) * size).map(({ span }) => span),
    );
    expect(costs(storeOf(...batches), 'tool')).toEqual(expected);
  }
});

/** As docs/store.md says it, tool by tool. */
function sharesByHand(spans: readonly CapturedSpan[]): Record<string, number> {
  const byStart = (a: CapturedSpan, b: CapturedSpan): number =>
    Number(a.startedAt - b.startedAt) || (a.spanId < b.spanId ? -1 : 1);
  const calls = spans.filter((span) => span.kind === 'llm').sort(byStart);
  const carrying = calls.filter((call) => call.purpose === 'turn');
  const tools = spans.filter((span) => span.kind === 'tool').sort(byStart);
  const firstToCarry = (end: bigint): CapturedSpan | undefined => carrying.find(({ startedAt }) => startedAt >= end);
  const sums: Record<string, number> = {};
  const add = (name: string, nanoUsd: number): void => void (sums[name] = (sums[name] ?? 0) + nanoUsd);
  for (const { toolName } of tools) add(toolName, 0);
  add('unattributed', 0);
  for (const call of calls) {
    const cost = Math.round((call.costUsd ?? 0) * 1e9);
    const carried = tools.filter(({ endedAt = 0n }) => firstToCarry(endedAt) === call);
    const share = Math.floor(cost / carried.length);
    carried.forEach(({ toolName }, index) => add(toolName, index === 0 ? cost - share * (carried.length - 1) : share));
    if (carried.length === 0) add('unattributed', cost);
  }
  return sums;
}

/** The same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
