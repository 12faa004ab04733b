import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import type { ContentBlock, Message } from '../model/message.ts';
import type { AgentSpan, Attributes, Issue, LlmSpan, Outcome, SpanError, SpanStatus, ToolSpan } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import { usageConflicts } from '../model/usage.ts';
import { measuredUsage, streamedUsage, usageOf } from './call-usage.ts';
import type { AgentNode, CallNode, ToolNode } from './nodes.ts';

/** What a span takes from its place rather than from what was seen of it. */
export interface Place {
  readonly traceId: TraceId;
  readonly parentSpanId?: SpanId;
  readonly parentIsRemote?: boolean;
  readonly sessionId?: string;
  readonly agentName: string;
  /** What its agent asks unless told otherwise. */
  readonly requestModel?: string;
  readonly attributes: Attributes;
  /** No earlier than this, no later than that, when a source gave no time at all. */
  readonly notBefore: UnixNano;
  readonly notAfter: UnixNano;
}

const APPROXIMATE_TIME: Issue = Object.freeze({
  code: 'approximate_time',
  message: 'The SDK stream alone shows when a message was read, not when the call began and ended.',
});

const STATUS_OF: Readonly<Record<Outcome, SpanStatus>> = {
  completed: 'ok',
  max_turns: 'error',
  max_budget: 'error',
  refused: 'error',
  api_error: 'error',
  interrupted: 'cancelled',
  aborted: 'cancelled',
  abandoned: 'cancelled',
  permission_denied: 'error',
  crashed: 'error',
};

export function buildAgent(node: AgentNode, place: Place): AgentSpan {
  const { startedAt, endedAt } = agentTimes(node, place);
  const outcome = node.outcome ?? 'completed';
  const error = agentError(node, outcome);
  const { session, result, totals, unattributed } = node;
  return {
    ...base(node, place, agentKey(node)),
    kind: 'agent',
    role: node.turn === undefined ? 'subagent' : 'main',
    agentName: node.agentName,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    status: STATUS_OF[outcome],
    ...(error === undefined ? {} : { error }),
    outcome,
    ...optional({
      agentId: node.agentId,
      trigger: node.trigger,
      requestModel: session?.requestModel,
      cwd: session?.cwd,
      permissionMode: session?.permissionMode,
      cliVersion: session?.cliVersion,
      toolNames: session?.toolNames,
      input: node.input.length === 0 ? undefined : node.input,
      output: outputOf(node.lastOutput),
      turnCount: result?.turnCount,
      startupMs: startupMs(node),
      totals,
      unattributed,
      isSegment: node.isSegment ? true : undefined,
    }),
    llmCalls: node.llmCalls,
    toolCalls: node.toolCalls,
    permissionDenials: node.denials,
  };
}

export function agentKey(node: AgentNode): SpanKey {
  if (node.turn === undefined) return `agent:${node.agentId ?? node.spawnedBy?.toolCallId ?? node.spanId}` as SpanKey;
  return `turn:${node.userMessageId ?? node.firstRequestId ?? node.spanId}` as SpanKey;
}

function agentTimes(node: AgentNode, place: Place): { startedAt: UnixNano; endedAt: UnixNano | undefined } {
  // The first turn begins when the user asked for it, spawn included; for the others the CLI knows best.
  const isFirst = node.turn === 0;
  const startedAt =
    (isFirst ? node.sdkStartedAt : undefined) ?? node.cliStartedAt ?? node.sdkStartedAt ?? node.firstChildAt ?? place.notBefore;
  const end = node.cliEndedAt ?? node.sdkEndedAt;
  return { startedAt, endedAt: end === undefined ? undefined : later(end, startedAt) };
}

function startupMs(node: AgentNode): number | undefined {
  if (node.turn !== 0 || node.sdkStartedAt === undefined || node.cliStartedAt === undefined) return undefined;
  const nanos = node.cliStartedAt - node.sdkStartedAt;
  return nanos < 0n ? undefined : Number(nanos) / 1e6;
}

function agentError(node: AgentNode, outcome: Outcome): SpanError | undefined {
  if (STATUS_OF[outcome] !== 'error') return undefined;
  const status = node.result?.apiErrorStatus;
  return {
    type: outcome,
    message: node.result?.errorMessage ?? (status === undefined ? outcome : `${outcome}: HTTP ${status}`),
  };
}

export function buildCall(node: CallNode, place: Place): LlmSpan {
  const { cliSpan, cliLog } = node;
  const exactStart = cliSpan?.startedAt;
  const startedAt = exactStart ?? cliLog?.startedAt ?? node.sdkStartedAt ?? place.notBefore;
  const endedAt = later(cliSpan?.endedAt ?? cliLog?.endedAt ?? node.sdkEndedAt ?? place.notAfter, startedAt);
  const error = cliSpan?.error ?? cliLog?.error ?? node.sdkError;
  const firstTokenAt = cliSpan?.firstTokenAt ?? node.sdkFirstTokenAt;
  const output = node.blocks.length > 0 ? node.blocks : textBlocks(node.cliText);
  const wasApproximate = exactStart === undefined && cliLog?.startedAt === undefined;
  return {
    ...base(node, place, `llm:${node.requestId ?? node.messageId ?? node.spanId}` as SpanKey),
    kind: 'llm',
    startedAt,
    endedAt,
    status: error === undefined ? (node.wasCut ? 'cancelled' : 'ok') : 'error',
    ...(error === undefined ? {} : { error }),
    events: node.retries,
    issues: [...node.issues, ...usageIssues(node), ...(wasApproximate ? [APPROXIMATE_TIME] : [])],
    requestModel: cliSpan?.model ?? cliLog?.model ?? node.sdkModel ?? place.requestModel ?? 'unknown',
    provider: cliSpan?.provider ?? cliLog?.provider ?? 'anthropic',
    agentName: place.agentName,
    attempts: Math.max(1, cliSpan?.attempts ?? 0, cliLog?.attempts ?? 0, node.retries.length + 1),
    purpose: cliSpan?.purpose ?? cliLog?.purpose ?? 'turn',
    ...optional({
      responseModel: error === undefined ? (node.sdkModel ?? cliSpan?.model ?? cliLog?.model) : undefined,
      requestId: node.requestId,
      messageId: node.messageId,
      usage: usageOf(node),
      costUsd: cliLog?.costUsd,
      costBasis: cliLog?.costUsd === undefined ? undefined : ('cli' as const),
      stopReason: cliSpan?.stopReason ?? node.streamStopReason,
      firstTokenAt,
      input: node.input.length === 0 ? undefined : node.input,
      output: outputOf(output),
    }),
  };
}

function usageIssues(node: CallNode): Issue[] {
  const measured = measuredUsage(node);
  const streamed = streamedUsage(node);
  if (measured === undefined || streamed === undefined) return [];
  return usageConflicts(measured, streamed).map((field) => ({
    code: 'conflict',
    message: 'The CLI and the stream give different figures for one call.',
    field,
    values: { cli: measured[field] ?? 0, partials: streamed[field] ?? 0 },
  }));
}

const MCP_NAME = /^mcp__(.+?)__/;

export function buildTool(node: ToolNode, place: Place): ToolSpan {
  const { cliSpan, cliLog } = node;
  const cliExecution = node.cliExecution ?? node.hook;
  const toolName = node.toolName ?? cliSpan?.toolName ?? cliExecution?.toolName ?? cliLog?.toolName ?? 'unknown';
  const startedAt = cliSpan?.startedAt ?? cliExecution?.startedAt ?? node.sdkStartedAt ?? place.notBefore;
  const end = cliSpan?.endedAt ?? cliExecution?.endedAt ?? node.sdkEndedAt;
  const error = toolError(node);
  const input = node.hasInput ? node.input : (cliLog?.input ?? cliSpan?.input);
  const output = node.hasOutput ? node.output : (cliSpan?.output ?? cliExecution?.output ?? cliLog?.output);
  const wasApproximate = cliSpan === undefined && cliExecution === undefined;
  return {
    ...base(node, place, `tool:${node.askedBy ?? node.cliLog?.requestId ?? ''}/${node.toolCallId}` as SpanKey),
    kind: 'tool',
    startedAt,
    endedAt: later(end ?? place.notAfter, startedAt),
    status: error === undefined ? (wasCancelled(node) ? 'cancelled' : 'ok') : 'error',
    ...(error === undefined ? {} : { error }),
    issues: wasApproximate ? [...node.issues, APPROXIMATE_TIME] : node.issues,
    toolName,
    toolCallId: node.toolCallId,
    toolType: 'function',
    agentName: place.agentName,
    inBackground: node.inBackground,
    ...optional({
      mcpServer: MCP_NAME.exec(toolName)?.[1],
      requestedByLlmSpanId: node.requestedByLlmSpanId,
      executionStartedAt: cliExecution?.startedAt,
      denied: node.denied,
      input,
      output,
    }),
  };
}

/** What was cut off did not fail: it has no error. */
function wasCancelled(node: ToolNode): boolean {
  return node.errorType === 'cancelled' || measuredError(node)?.type === 'cancelled';
}

function measuredError(node: ToolNode): SpanError | undefined {
  return node.cliExecution?.error ?? node.cliSpan?.error ?? node.cliLog?.error;
}

function toolError(node: ToolNode): SpanError | undefined {
  if (wasCancelled(node)) return undefined;
  if (node.denied !== undefined) return { type: 'permission_denied', message: errorText(node) ?? 'permission denied' };
  const measured = measuredError(node);
  if (measured !== undefined) return { type: measured.type, message: errorText(node) ?? measured.message };
  if (!node.isError) return undefined;
  return { type: node.errorType ?? 'tool_error', message: errorText(node) ?? 'the tool reported an error' };
}

function errorText(node: ToolNode): string | undefined {
  if (typeof node.output === 'string') return node.output;
  if (!Array.isArray(node.output)) return undefined;
  const first: unknown = node.output[0];
  const text = typeof first === 'object' && first !== null && 'text' in first ? first.text : undefined;
  return typeof text === 'string' ? text : undefined;
}

function base(node: AgentNode | CallNode | ToolNode, place: Place, key: SpanKey) {
  return {
    key,
    traceId: place.traceId,
    spanId: node.spanId,
    ...optional({ parentSpanId: place.parentSpanId, parentIsRemote: place.parentIsRemote, sessionId: place.sessionId }),
    events: node.events,
    seenBy: [...node.seenBy].sort(),
    issues: node.issues as readonly Issue[],
    attributes: place.attributes,
  };
}

function outputOf(blocks: readonly ContentBlock[] | undefined): readonly Message[] | undefined {
  return blocks === undefined || blocks.length === 0 ? undefined : [{ role: 'assistant', content: blocks }];
}

function textBlocks(text: string | undefined): readonly ContentBlock[] | undefined {
  return text === undefined ? undefined : [{ type: 'text', text }];
}

function later(time: UnixNano, than: UnixNano): UnixNano {
  return time > than ? time : than;
}

/** Absent fields are absent, not undefined. */
function optional<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) present[name] = value;
  return present as { [K in keyof T]?: Exclude<T[K], undefined> };
}
