import type { ContentSizes } from '../model/sink.ts';
import type { AgentSpan, LlmSpan, Span, ToolSpan } from '../model/span.ts';

/** A captured span in the making. */
export type Draft<S extends Span> = { -readonly [K in keyof S]: S[K] } & { contentBytes: ContentSizes };

// Field by field: every span is copied at least once, and a spread that leaves fields out takes ten times as long.

/** A copy without any content. */
export function copyAgent(span: AgentSpan, contentBytes: ContentSizes): Draft<AgentSpan> {
  const copy: Draft<AgentSpan> = {
    kind: 'agent',
    key: span.key,
    traceId: span.traceId,
    spanId: span.spanId,
    startedAt: span.startedAt,
    status: span.status,
    events: span.events,
    seenBy: span.seenBy,
    issues: span.issues,
    attributes: span.attributes,
    contentBytes,
    role: span.role,
    agentName: span.agentName,
    outcome: span.outcome,
    llmCalls: span.llmCalls,
    toolCalls: span.toolCalls,
    permissionDenials: span.permissionDenials,
  };
  copyPlace(copy, span);
  if (span.agentId !== undefined) copy.agentId = span.agentId;
  if (span.trigger !== undefined) copy.trigger = span.trigger;
  if (span.requestModel !== undefined) copy.requestModel = span.requestModel;
  if (span.permissionMode !== undefined) copy.permissionMode = span.permissionMode;
  if (span.cliVersion !== undefined) copy.cliVersion = span.cliVersion;
  if (span.toolNames !== undefined) copy.toolNames = span.toolNames;
  if (span.turnCount !== undefined) copy.turnCount = span.turnCount;
  if (span.startupMs !== undefined) copy.startupMs = span.startupMs;
  if (span.totals !== undefined) copy.totals = span.totals;
  if (span.unattributed !== undefined) copy.unattributed = span.unattributed;
  if (span.isSegment !== undefined) copy.isSegment = span.isSegment;
  return copy;
}

/** A copy without any content. */
export function copyLlm(span: LlmSpan, contentBytes: ContentSizes): Draft<LlmSpan> {
  const copy: Draft<LlmSpan> = {
    kind: 'llm',
    key: span.key,
    traceId: span.traceId,
    spanId: span.spanId,
    startedAt: span.startedAt,
    status: span.status,
    events: span.events,
    seenBy: span.seenBy,
    issues: span.issues,
    attributes: span.attributes,
    contentBytes,
    requestModel: span.requestModel,
    provider: span.provider,
    agentName: span.agentName,
    attempts: span.attempts,
    purpose: span.purpose,
  };
  copyPlace(copy, span);
  if (span.responseModel !== undefined) copy.responseModel = span.responseModel;
  if (span.requestId !== undefined) copy.requestId = span.requestId;
  if (span.messageId !== undefined) copy.messageId = span.messageId;
  if (span.usage !== undefined) copy.usage = span.usage;
  if (span.costUsd !== undefined) copy.costUsd = span.costUsd;
  if (span.costBasis !== undefined) copy.costBasis = span.costBasis;
  if (span.stopReason !== undefined) copy.stopReason = span.stopReason;
  if (span.firstTokenAt !== undefined) copy.firstTokenAt = span.firstTokenAt;
  return copy;
}

/** A copy without any content. */
export function copyTool(span: ToolSpan, contentBytes: ContentSizes): Draft<ToolSpan> {
  const copy: Draft<ToolSpan> = {
    kind: 'tool',
    key: span.key,
    traceId: span.traceId,
    spanId: span.spanId,
    startedAt: span.startedAt,
    status: span.status,
    events: span.events,
    seenBy: span.seenBy,
    issues: span.issues,
    attributes: span.attributes,
    contentBytes,
    toolName: span.toolName,
    toolCallId: span.toolCallId,
    toolType: span.toolType,
    agentName: span.agentName,
    inBackground: span.inBackground,
  };
  copyPlace(copy, span);
  if (span.mcpServer !== undefined) copy.mcpServer = span.mcpServer;
  if (span.requestedByLlmSpanId !== undefined) copy.requestedByLlmSpanId = span.requestedByLlmSpanId;
  if (span.executionStartedAt !== undefined) copy.executionStartedAt = span.executionStartedAt;
  if (span.denied !== undefined) copy.denied = span.denied;
  return copy;
}

function copyPlace(copy: Draft<AgentSpan> | Draft<LlmSpan> | Draft<ToolSpan>, span: Span): void {
  if (span.endedAt !== undefined) copy.endedAt = span.endedAt;
  if (span.parentSpanId !== undefined) copy.parentSpanId = span.parentSpanId;
  if (span.parentIsRemote !== undefined) copy.parentIsRemote = span.parentIsRemote;
  if (span.traceIsSampled !== undefined) copy.traceIsSampled = span.traceIsSampled;
  if (span.sessionId !== undefined) copy.sessionId = span.sessionId;
  if (span.error !== undefined) copy.error = span.error;
}
