import type {
  AgentSpan,
  CustomSpan,
  LlmSpan,
  Message,
  PermissionSpan,
  Span,
  SpanId,
  SpanKey,
  ToolSpan,
  TraceId,
} from '@spanprism/core';

/** One step of a delivery, in the order that the assembler promises. */
export type Told =
  | { readonly type: 'start' | 'end'; readonly span: Span }
  | { readonly type: 'turn-end'; readonly rootSpanId: SpanId };

/** 2026-11-21T09:00:00Z. */
const BASE = 1_795_251_600_000_000_000n;

/** An instant of the canonical traces, nanoseconds since 1970 from milliseconds since they began. */
export function instant(ms: number): bigint {
  return BASE + BigInt(Math.round(ms * 1e6));
}

type Draft<S extends Span> = Partial<Omit<S, 'kind' | 'spanId' | 'parentSpanId' | 'startedAt' | 'endedAt'>> & {
  readonly id: number;
  readonly parent?: number;
  /** Start and end, milliseconds since the trace began. */
  readonly ms: readonly [number, number];
  /** Which trace and session; 1 unless given. */
  readonly session?: number;
};

export function spanIdOf(id: number): SpanId {
  return `c0${id.toString(16).padStart(14, '0')}` as SpanId;
}

function base(draft: Draft<Span>): Omit<CustomSpan, 'kind' | 'name'> {
  const { id, parent, ms, session = 1, ...rest } = draft;
  return {
    key: `key:${id}` as SpanKey,
    traceId: `d0${session.toString(16).padStart(30, '0')}` as TraceId,
    sessionId: `00000000-0000-4000-8000-${String(session).padStart(12, '0')}`,
    status: 'ok',
    events: [],
    seenBy: ['cli', 'sdk'],
    issues: [],
    attributes: {},
    ...rest,
    spanId: spanIdOf(id),
    ...(parent === undefined ? {} : { parentSpanId: spanIdOf(parent) }),
    startedAt: instant(ms[0]),
    endedAt: instant(ms[1]),
  };
}

/** Drafts name only what matters to a case. */
export function agent(draft: Draft<AgentSpan>): AgentSpan {
  const fixed = { kind: 'agent', role: 'main', agentName: 'main', outcome: 'completed' } as const;
  return { ...fixed, llmCalls: 0, toolCalls: 0, permissionDenials: 0, ...base(draft as Draft<Span>) } as AgentSpan;
}

export function llm(draft: Draft<LlmSpan>): LlmSpan {
  const fixed = { kind: 'llm', requestModel: 'claude-sonnet-4-5', provider: 'anthropic', agentName: 'main' } as const;
  return {
    ...fixed,
    attempts: 1,
    purpose: 'turn',
    messageId: `msg_${draft.id}`,
    ...base(draft as Draft<Span>),
  } as LlmSpan;
}

export function tool(draft: Draft<ToolSpan>): ToolSpan {
  const fixed = {
    kind: 'tool',
    toolName: 'Bash',
    toolType: 'function',
    agentName: 'main',
    inBackground: false,
  } as const;
  return { ...fixed, toolCallId: `toolu_${draft.id}`, ...base(draft as Draft<Span>) } as ToolSpan;
}

export function permission(draft: Draft<PermissionSpan>): PermissionSpan {
  const fixed = {
    kind: 'permission',
    toolCallId: 'toolu_0',
    toolName: 'Bash',
    decision: 'deny',
    decidedBy: 'host',
  } as const;
  return { ...fixed, ...base(draft as Draft<Span>) } as PermissionSpan;
}

/** The name by which a row is found again, whatever ids a backend mints: of a call its message, of a tool its call id, else its name. */
export function labelOf(span: Span): string {
  switch (span.kind) {
    case 'agent':
      return span.agentName;
    case 'llm':
      return span.messageId ?? span.requestId ?? '';
    case 'tool':
      return span.toolCallId;
    case 'permission':
      return `permission ${span.toolName}`;
    case 'hook':
      return `hook ${span.hookEvent}`;
    case 'custom':
      return span.name;
  }
}

/** Starts in order of their starts, ends in the given order, then the end of the turn of the root that is last. */
export function told(spans: readonly Span[]): readonly Told[] {
  const root = spans.findLast((span) => span.parentSpanId === undefined);
  return [
    ...starts(spans),
    ...spans.map((span): Told => ({ type: 'end', span })),
    ...(root === undefined ? [] : [{ type: 'turn-end', rootSpanId: root.spanId } as const]),
  ];
}

/** Parents first, as promised, whatever the clocks say. */
function starts(spans: readonly Span[]): readonly Told[] {
  const byId = new Map<string | undefined, Span>(spans.map((span) => [span.spanId, span]));
  const depth = (span: Span): number => {
    const parent = byId.get(span.parentSpanId);
    return parent === undefined || span.parentSpanId === undefined ? 0 : 1 + depth(parent);
  };
  const ordered = spans.map((span) => ({ span, depth: depth(span) })).sort((a, b) => a.depth - b.depth);
  return ordered.map(({ span }) => ({ type: 'start', span: withoutEnd(span) }));
}

function withoutEnd(span: Span): Span {
  const { endedAt: _, ...rest } = span;
  return rest as Span;
}

/** A call, the tool that it asks for, and the call that reads the answer. */
export const TURN: readonly Told[] = told([
  llm({ id: 2, parent: 1, ms: [100, 900], firstTokenAt: instant(350), usage: { inputTokens: 1000, outputTokens: 50 } }),
  tool({ id: 3, parent: 1, ms: [880, 1200], requestedByLlmSpanId: spanIdOf(2) }),
  llm({ id: 4, parent: 1, ms: [1210, 1900], usage: { inputTokens: 1100, outputTokens: 20 } }),
  agent({ id: 1, ms: [0, 2000], llmCalls: 2, toolCalls: 1 }),
]);

/** Two tools at once, for one call. */
export const PARALLEL: readonly Told[] = told([
  tool({ id: 3, parent: 1, ms: [500, 900] }),
  tool({ id: 4, parent: 1, ms: [510, 800] }),
  agent({ id: 1, ms: [0, 1000], toolCalls: 2 }),
]);

/** A subagent below the call that asked for it. */
export const SUBAGENT: readonly Told[] = told([
  agent({ id: 3, parent: 2, ms: [200, 800], role: 'subagent', agentName: 'Explore', agentId: 'a1' }),
  tool({ id: 2, parent: 1, ms: [150, 900], toolName: 'Agent' }),
  agent({ id: 1, ms: [0, 1000], toolCalls: 1 }),
]);

/** A subagent in the background, told of when its turn is long over: a segment. */
export const SEGMENT: readonly Told[] = [
  ...told([
    tool({ id: 2, parent: 1, ms: [150, 160], toolName: 'Agent', inBackground: true }),
    agent({ id: 1, ms: [0, 1000] }),
  ]),
  ...[
    agent({
      id: 3,
      parent: 2,
      ms: [200, 5000],
      role: 'subagent',
      agentName: 'Explore',
      agentId: 'a1',
      isSegment: true,
    }),
  ].flatMap((span): Told[] => [
    { type: 'start', span: withoutEnd(span) },
    { type: 'end', span },
    { type: 'turn-end', rootSpanId: span.spanId },
  ]),
];

/** Two sessions at once. */
export const TWO_SESSIONS: readonly Told[] = interleaved(
  told([llm({ id: 2, parent: 1, ms: [0, 500] }), agent({ id: 1, ms: [0, 600], agentName: 'first' })]),
  told([
    llm({ id: 12, parent: 11, ms: [10, 510], session: 2 }),
    agent({ id: 11, ms: [10, 610], agentName: 'second', session: 2 }),
  ]),
);

function interleaved(left: readonly Told[], right: readonly Told[]): readonly Told[] {
  return left.flatMap((one, index) => [one, ...right.slice(index, index + 1)]);
}

/** No length, and one of a quarter of a millisecond. */
export const SHORT: readonly Told[] = told([
  tool({ id: 2, parent: 1, ms: [10, 10] }),
  tool({ id: 3, parent: 1, ms: [20, 20.25] }),
  agent({ id: 1, ms: [0, 30] }),
]);

/** A child of another clock that began before its parent. */
export const SKEWED: readonly Told[] = told([
  tool({ id: 2, parent: 1, ms: [-40, 20], issues: [{ code: 'approximate_time', message: 'Its start is guessed.' }] }),
  agent({ id: 1, ms: [0, 30] }),
]);

/** More tokens than a 32-bit float holds exactly. */
export const LARGE_TOKENS = 16_777_217;

/** Figures of every sort; the totals of the turn repeat those of its calls. */
export const FIGURES: readonly Told[] = told([
  llm({
    id: 2,
    parent: 1,
    ms: [0, 100],
    usage: { inputTokens: 1000, outputTokens: 50, cacheReadTokens: 600, cacheWriteTokens: 300 },
    costUsd: 0.25,
  }),
  llm({ id: 3, parent: 1, ms: [100, 200] }),
  agent({
    id: 1,
    ms: [0, 300],
    llmCalls: 2,
    totals: {
      usage: { inputTokens: 1000, outputTokens: 50, cacheReadTokens: 600, cacheWriteTokens: 300 },
      costUsd: 0.25,
    },
  }),
]);

export const LARGE: readonly Told[] = told([
  llm({ id: 2, parent: 1, ms: [0, 100], usage: { inputTokens: LARGE_TOKENS, outputTokens: 3 } }),
  agent({ id: 1, ms: [0, 300] }),
]);

/** What can become of a span; each is a row of its own. */
export const OUTCOMES: readonly Told[] = told([
  tool({ id: 2, parent: 1, ms: [0, 10], status: 'error', error: { type: 'ShellError', message: 'exit 1' } }),
  llm({ id: 3, parent: 1, ms: [10, 20], status: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  llm({ id: 4, parent: 1, ms: [20, 30], status: 'cancelled' }),
  permission({ id: 6, parent: 5, ms: [30, 35], toolCallId: 'toolu_5' }),
  tool({
    id: 5,
    parent: 1,
    ms: [30, 40],
    status: 'error',
    error: { type: 'permission_denied', message: 'no' },
    denied: { decidedBy: 'host' },
  }),
  tool({
    id: 7,
    parent: 1,
    ms: [40, 50],
    status: 'cancelled',
    issues: [{ code: 'no_end', message: 'Its end was never reported.' }],
  }),
  agent({ id: 1, ms: [0, 60] }),
]);

export const CANARY = 'CANARY-7f3a91';

const words = (role: Message['role']): readonly Message[] => [
  {
    role,
    content: [
      { type: 'text', text: `${CANARY} text` },
      { type: 'thinking', thinking: `${CANARY} thinking` },
      { type: 'tool_use', id: 'toolu_3', name: 'Bash', input: { command: CANARY } },
      { type: 'tool_result', toolUseId: 'toolu_3', content: CANARY, isError: true },
      { type: 'other', raw: { type: 'image', data: CANARY } },
    ],
  },
];

/** The canary in every field that is content. */
export const CONTENT: readonly Told[] = told([
  llm({
    id: 2,
    parent: 1,
    ms: [0, 10],
    status: 'error',
    error: { type: 'invalid_request_error', message: `${CANARY} error` },
    events: [{ name: 'api_error', at: instant(5), attributes: { status: 400 }, content: `${CANARY} event` }],
    input: words('user'),
    output: words('assistant'),
    systemInstructions: [CANARY],
    toolDefinitions: [{ name: 'Bash', description: CANARY, inputSchema: { description: CANARY } }],
  }),
  tool({ id: 3, parent: 1, ms: [10, 20], input: { command: CANARY }, output: [{ type: 'text', text: CANARY }] }),
  agent({ id: 1, ms: [0, 30], cwd: `/home/${CANARY}`, input: words('user'), output: words('assistant') }),
]);

/** A long text whose every character takes four bytes. */
export function longText(bytes: number): readonly Told[] {
  const text = '🎉'.repeat(bytes / 4);
  return told([
    llm({ id: 2, parent: 1, ms: [0, 10], output: [{ role: 'assistant', content: [{ type: 'text', text }] }] }),
    agent({ id: 1, ms: [0, 30] }),
  ]);
}
