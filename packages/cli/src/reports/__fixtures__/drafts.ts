import type { AgentSpan, CustomSpan, LlmSpan, SpanId, SpanKey, ToolSpan, TraceId } from '@spanprism/core';

const MS = 1_000_000n;
/** 2026-11-21T08:00:00Z. */
export const START: bigint = 1_795_248_000_000n * MS;

interface Draft {
  readonly id: string;
  readonly parent?: string;
  readonly session?: string;
  /** Milliseconds after `START`. */
  readonly at: readonly [start: number, end: number];
}

const hex = (text: string, digits: number): string =>
  Buffer.from(text).toString('hex').slice(0, digits).padStart(digits, '0');

function base({ id, parent, session = 'session-1', at: [start, end] }: Draft) {
  return {
    key: `${session}:${id}` as SpanKey,
    traceId: hex(session, 32) as TraceId,
    spanId: hex(`${id}${session}`, 16) as SpanId,
    ...(parent === undefined ? {} : { parentSpanId: hex(`${parent}${session}`, 16) as SpanId }),
    sessionId: session,
    startedAt: START + BigInt(start) * MS,
    endedAt: START + BigInt(end) * MS,
    status: 'ok',
    events: [],
    seenBy: ['sdk', 'cli'],
    issues: [],
    attributes: {},
  } as const;
}

export function turn(draft: Draft, fields: Partial<AgentSpan> = {}): AgentSpan {
  return {
    ...base(draft),
    kind: 'agent',
    role: 'main',
    agentName: 'claude',
    outcome: 'completed',
    llmCalls: 0,
    toolCalls: 0,
    permissionDenials: 0,
    ...fields,
  };
}

export function call(draft: Draft, fields: Partial<LlmSpan> = {}): LlmSpan {
  return {
    ...base(draft),
    kind: 'llm',
    requestModel: 'claude-sonnet-4-5',
    provider: 'anthropic',
    agentName: 'claude',
    attempts: 1,
    purpose: 'turn',
    ...fields,
  };
}

export function tool(draft: Draft, fields: Partial<ToolSpan> = {}): ToolSpan {
  return {
    ...base(draft),
    kind: 'tool',
    toolName: 'Bash',
    toolCallId: `toolu_${draft.id}`,
    toolType: 'function',
    agentName: 'claude',
    inBackground: false,
    ...fields,
  };
}

export function step(draft: Draft, fields: Partial<CustomSpan> = {}): CustomSpan {
  return { ...base(draft), kind: 'custom', name: draft.id, ...fields };
}

/** The span id of a draft, for links. */
export function idOf(id: string, session = 'session-1'): SpanId {
  return hex(`${id}${session}`, 16) as SpanId;
}
