import type {
  AgentSpan,
  CapturedSpan,
  ContentSizes,
  CustomSpan,
  HookSpan,
  LlmSpan,
  PermissionSpan,
  Span,
  SpanId,
  SpanKey,
  ToolSpan,
  TraceId,
} from '@spanprism/core';

/** 2026-11-21T09:00:00Z. */
const BASE = 1_795_251_600_000_000_000n;

export function at(ms: number): bigint {
  return BASE + BigInt(Math.round(ms * 1000)) * 1000n;
}

export function spanId(index: number): SpanId {
  return `a0${index.toString(16).padStart(14, '0')}` as SpanId;
}

export function traceId(index: number): TraceId {
  return `b0${index.toString(16).padStart(30, '0')}` as TraceId;
}

export type Draft<S extends Span> = Partial<Omit<S, 'kind' | 'spanId' | 'parentSpanId' | 'startedAt' | 'endedAt'>> & {
  readonly id: number;
  readonly parent?: number;
  /** Start and end, milliseconds since the trace began. */
  readonly ms: readonly [number, number];
  readonly bytes?: ContentSizes;
};

function base(draft: Draft<Span>) {
  const { id, parent, ms, bytes, ...rest } = draft;
  return {
    key: `key:${id}` as SpanKey,
    traceId: traceId(1),
    sessionId: '7d3c1f0e-5a51-4b8e-9f43-0c2f6c1d9a10',
    status: 'ok' as const,
    events: [],
    seenBy: ['cli', 'sdk'] as const,
    issues: [],
    attributes: {},
    ...rest,
    spanId: spanId(id),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    startedAt: at(ms[0]),
    endedAt: at(ms[1]),
    contentBytes: bytes ?? {},
  };
}

// Only a test may claim that something has passed capture.
function captured(span: Span & { readonly contentBytes: ContentSizes }): CapturedSpan {
  return span as CapturedSpan;
}

export function agent(draft: Draft<AgentSpan>): CapturedSpan {
  return captured({
    kind: 'agent',
    role: 'main',
    agentName: 'claude',
    outcome: 'completed',
    llmCalls: 0,
    toolCalls: 0,
    permissionDenials: 0,
    ...base(draft as Draft<Span>),
  } as AgentSpan & { contentBytes: ContentSizes });
}

export function llm(draft: Draft<LlmSpan>): CapturedSpan {
  return captured({
    kind: 'llm',
    requestModel: 'claude-sonnet-4-5',
    provider: 'anthropic',
    agentName: 'claude',
    attempts: 1,
    purpose: 'turn',
    ...base(draft as Draft<Span>),
  } as LlmSpan & { contentBytes: ContentSizes });
}

export function tool(draft: Draft<ToolSpan>): CapturedSpan {
  return captured({
    kind: 'tool',
    toolName: 'Bash',
    toolCallId: `toolu_${draft.id}`,
    toolType: 'function',
    agentName: 'claude',
    inBackground: false,
    ...base(draft as Draft<Span>),
  } as ToolSpan & { contentBytes: ContentSizes });
}

export function permission(draft: Draft<PermissionSpan>): CapturedSpan {
  return captured({
    kind: 'permission',
    toolCallId: 'toolu_0',
    toolName: 'Bash',
    decision: 'allow',
    decidedBy: 'user',
    ...base(draft as Draft<Span>),
  } as PermissionSpan & { contentBytes: ContentSizes });
}

export function hook(draft: Draft<HookSpan>): CapturedSpan {
  return captured({
    kind: 'hook',
    hookEvent: 'PreToolUse',
    hookName: 'PreToolUse:Bash',
    blocked: false,
    ...base(draft as Draft<Span>),
  } as HookSpan & { contentBytes: ContentSizes });
}

export function custom(draft: Draft<CustomSpan>): CapturedSpan {
  return captured({ kind: 'custom', name: 'review-pr', ...base(draft as Draft<Span>) } as CustomSpan & {
    contentBytes: ContentSizes;
  });
}
