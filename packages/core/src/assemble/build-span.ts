import type { Draft } from '../model/given.ts';
import type { SpanId, SpanKey, TraceId } from '../model/ids.ts';
import { type ContentBlock, isText, type Message } from '../model/message.ts';
import type {
  AgentSpan,
  Attributes,
  Issue,
  LlmSpan,
  Outcome,
  SpanError,
  SpanEvent,
  SpanStatus,
  ToolSpan,
} from '../model/span.ts';
import type { Clock, UnixNano } from '../model/time.ts';
import { type Usage, usageConflicts } from '../model/usage.ts';
import { measuredUsage, streamedUsage, usageOf } from './call-usage.ts';
import type { AgentNode, CallNode, ToolNode } from './nodes.ts';
import { sourceNames } from './sources.ts';

/** What a span takes from its place rather than from what was seen of it. */
export interface Place {
  readonly traceId: TraceId;
  readonly parentSpanId: SpanId | undefined;
  readonly parentIsRemote: boolean | undefined;
  readonly sessionId: string | undefined;
  readonly agentName: string;
  /** What its agent asks unless told otherwise. */
  readonly requestModel: string | undefined;
  readonly attributes: Attributes;
  /** Of its turn, where known. */
  readonly startedAt: UnixNano | undefined;
  readonly endedAt: UnixNano | undefined;
  readonly clock: Clock;
}

const APPROXIMATE_TIME: Issue = Object.freeze({
  code: 'approximate_time',
  message: 'Nobody measured it: its times are those of the messages that tell of it.',
});

const ONLY_APPROXIMATE: readonly Issue[] = Object.freeze([APPROXIMATE_TIME]);

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
  const { session } = node;
  const span: Draft<AgentSpan> = {
    kind: 'agent',
    key: agentKey(node),
    traceId: place.traceId,
    spanId: node.spanId,
    startedAt,
    status: STATUS_OF[outcome],
    events: node.events,
    seenBy: sourceNames(node.seenBy),
    issues: node.issues,
    attributes: place.attributes,
    role: node.turn === undefined ? 'subagent' : 'main',
    agentName: node.agentName,
    outcome,
    llmCalls: node.llmCalls,
    toolCalls: node.toolCalls,
    permissionDenials: node.denials,
  };
  settleInto(span, place);
  known(span, 'endedAt', endedAt);
  known(span, 'error', error);
  known(span, 'agentId', node.agentId);
  known(span, 'trigger', node.trigger);
  known(span, 'requestModel', session?.requestModel);
  known(span, 'cwd', session?.cwd);
  known(span, 'permissionMode', session?.permissionMode);
  known(span, 'cliVersion', session?.cliVersion);
  known(span, 'toolNames', session?.toolNames);
  if (node.input.length > 0) span.input = node.input;
  known(span, 'output', outputOf(node.lastOutput?.filter(isText)));
  known(span, 'turnCount', node.result?.turnCount);
  known(span, 'startupMs', startupMs(node));
  known(span, 'totals', node.totals);
  known(span, 'unattributed', node.unattributed);
  if (node.isSegment) span.isSegment = true;
  return span;
}

export function agentKey(node: AgentNode): SpanKey {
  if (node.turn === undefined) return `agent:${node.agentId ?? node.spawnedBy?.toolCallId ?? node.spanId}` as SpanKey;
  return `turn:${node.userMessageId ?? node.firstRequestId ?? node.spanId}` as SpanKey;
}

function agentTimes(node: AgentNode, place: Place): { startedAt: UnixNano; endedAt: UnixNano | undefined } {
  // The first turn begins when the user asked for it, spawn included; for the others the CLI knows best.
  const isFirst = node.turn === 0;
  const startedAt =
    (isFirst ? node.sdkStartedAt : undefined) ??
    node.cliStartedAt ??
    // The stream tells of a start when it is read, which may be long after what it began.
    earlier(node.sdkStartedAt, node.firstChildAt) ??
    notBefore(place);
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
  const thrown = outcome === 'crashed' ? node.thrown : undefined;
  return {
    type: thrown?.type ?? outcome,
    message:
      node.result?.errorMessage ?? thrown?.message ?? (status === undefined ? outcome : `${outcome}: HTTP ${status}`),
  };
}

export function buildCall(node: CallNode, place: Place): LlmSpan {
  const { cliSpan, cliLog, passed } = node;
  const exactStart = passed?.startedAt ?? cliSpan?.startedAt;
  const startedAt = exactStart ?? cliLog?.startedAt ?? node.sdkStartedAt ?? notBefore(place);
  const endedAt = later(
    passed?.endedAt ?? cliSpan?.endedAt ?? cliLog?.endedAt ?? node.sdkEndedAt ?? notAfter(place),
    startedAt,
  );
  const error = callError(node);
  const firstTokenAt = within(startedAt, firstTokenOf(node), endedAt);
  const output = outputOf(blocksOf(node));
  const wasApproximate = exactStart === undefined && cliLog?.startedAt === undefined;
  const span: Draft<LlmSpan> = {
    kind: 'llm',
    key: `llm:${node.requestId ?? node.messageId ?? node.spanId}` as SpanKey,
    traceId: place.traceId,
    spanId: node.spanId,
    startedAt,
    endedAt,
    status: error === undefined ? (node.wasCut ? 'cancelled' : 'ok') : 'error',
    events: passed === undefined ? node.retries : retriesOf(node.retries, passed.retries),
    seenBy: sourceNames(node.seenBy),
    issues: issuesOf(node.issues, usageIssues(node), wasApproximate),
    attributes: place.attributes,
    requestModel: passed?.model ?? cliSpan?.model ?? cliLog?.model ?? node.sdkModel ?? place.requestModel ?? 'unknown',
    provider: cliSpan?.provider ?? cliLog?.provider ?? 'anthropic',
    agentName: place.agentName,
    attempts: Math.max(
      1,
      (passed?.retries.length ?? 0) + 1,
      cliSpan?.attempts ?? 0,
      cliLog?.attempts ?? 0,
      node.retries.length + 1,
    ),
    purpose: cliSpan?.purpose ?? cliLog?.purpose ?? passed?.purpose ?? 'turn',
  };
  settleInto(span, place);
  const responseModel = passed?.responseModel ?? node.sdkModel ?? cliSpan?.model ?? cliLog?.model;
  if (error !== undefined) span.error = error;
  else if (responseModel !== undefined) span.responseModel = responseModel;
  if (node.requestId !== undefined) span.requestId = node.requestId;
  if (node.messageId !== undefined) span.messageId = node.messageId;
  const usage = usageOf(node);
  if (usage !== undefined) span.usage = usage;
  if (cliLog?.costUsd !== undefined) {
    span.costUsd = cliLog.costUsd;
    span.costBasis = 'cli';
  }
  const stopReason = passed?.stopReason ?? cliSpan?.stopReason ?? node.streamStopReason;
  if (stopReason !== undefined) span.stopReason = stopReason;
  if (firstTokenAt !== undefined) span.firstTokenAt = firstTokenAt;
  const input = passed === undefined || passed.input.length === 0 ? node.input : passed.input;
  if (input.length > 0) span.input = input;
  if (output !== undefined) span.output = output;
  if (passed?.systemInstructions !== undefined) span.systemInstructions = passed.systemInstructions;
  if (passed?.toolDefinitions !== undefined) span.toolDefinitions = passed.toolDefinitions;
  return span;
}

function firstTokenOf({ passed, cliSpan, sdkFirstTokenAt }: CallNode): UnixNano | undefined {
  return passed?.firstTokenAt ?? cliSpan?.firstTokenAt ?? sdkFirstTokenAt;
}

/** The wire knows when and how each attempt failed, the stream how long was waited. */
function retriesOf(told: readonly SpanEvent[], passed: readonly SpanEvent[]): readonly SpanEvent[] {
  if (passed.length < told.length) return told;
  return passed.map((retry, index) => ({ ...retry, attributes: { ...retry.attributes, ...told[index]?.attributes } }));
}

/** The stream has Anthropic's own type of an error, the CLI a class of its own making. */
function callError({ cliSpan, cliLog, sdkError, passed }: CallNode): SpanError | undefined {
  const measured = cliSpan?.error ?? cliLog?.error;
  // An attempt that failed may yet have been made again where the wire did not see it.
  const exact = sdkError ?? (measured === undefined && cliSpan !== undefined ? undefined : passed?.error);
  return measured === undefined || exact === undefined ? (measured ?? exact) : { ...measured, type: exact.type };
}

function issuesOf(own: readonly Issue[], found: readonly Issue[], wasApproximate: boolean): readonly Issue[] {
  if (!wasApproximate) return found.length === 0 ? own : [...own, ...found];
  return own.length === 0 && found.length === 0 ? ONLY_APPROXIMATE : [...own, ...found, APPROXIMATE_TIME];
}

function usageIssues(node: CallNode): readonly Issue[] {
  if (node.passed !== undefined) return [...node.passed.gaps, ...wireConflicts(node, node.passed.usage)];
  if (node.cliSpan === undefined && node.cliLog === undefined) return [];
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

/** A cut answer has no final figures on the wire; what the others make of it is theirs alone. */
function wireConflicts(node: CallNode, usage: Usage | undefined): readonly Issue[] {
  const measured = measuredUsage(node);
  const other = measured ?? streamedUsage(node);
  if (usage === undefined || other === undefined) return [];
  return usageConflicts(usage, other).map((field) => ({
    code: 'conflict',
    message: 'The wire and another source give different figures for one call.',
    field,
    values: { wire: usage[field] ?? 0, [measured === undefined ? 'partials' : 'cli']: other[field] ?? 0 },
  }));
}

const MCP_NAME = /^mcp__(.+?)__/;

export function buildTool(node: ToolNode, place: Place): ToolSpan {
  const { cliSpan, cliLog } = node;
  const cliExecution = node.cliExecution ?? node.hook;
  const toolName = node.toolName ?? cliSpan?.toolName ?? cliExecution?.toolName ?? cliLog?.toolName ?? 'unknown';
  const startedAt = cliSpan?.startedAt ?? cliExecution?.startedAt ?? node.sdkStartedAt ?? notBefore(place);
  const end = cliSpan?.endedAt ?? cliExecution?.endedAt ?? node.sdkEndedAt;
  const endedAt = later(end ?? notAfter(place), startedAt);
  const error = toolError(node);
  // A hook sees what ran, the stream what was asked for: permission handlers and hooks may change it. Logs cut long values.
  const input = node.hook?.input ?? (node.hasInput ? node.input : (cliLog?.input ?? cliSpan?.input));
  const output = node.hasOutput ? node.output : (cliSpan?.output ?? cliExecution?.output ?? cliLog?.output);
  const wasApproximate = cliSpan === undefined && cliExecution === undefined;
  const span: Draft<ToolSpan> = {
    kind: 'tool',
    // Without a request, its id is one of its session at best: gateways count from 1.
    key: `tool:${node.askedBy ?? node.cliLog?.requestId ?? place.sessionId ?? ''}/${node.toolCallId}` as SpanKey,
    traceId: place.traceId,
    spanId: node.spanId,
    startedAt,
    endedAt,
    status: error === undefined ? (wasCancelled(node) ? 'cancelled' : 'ok') : 'error',
    events: node.events,
    seenBy: sourceNames(node.seenBy),
    issues: issuesOf(node.issues, [], wasApproximate),
    attributes: place.attributes,
    toolName,
    toolCallId: node.toolCallId,
    toolType: 'function',
    agentName: place.agentName,
    inBackground: node.inBackground,
  };
  settleInto(span, place);
  if (error !== undefined) span.error = error;
  const mcpServer = toolName.startsWith('mcp__') ? MCP_NAME.exec(toolName)?.[1] : undefined;
  if (mcpServer !== undefined) span.mcpServer = mcpServer;
  if (node.requestedByLlmSpanId !== undefined) span.requestedByLlmSpanId = node.requestedByLlmSpanId;
  const executionStartedAt = within(startedAt, cliExecution?.startedAt, endedAt);
  if (executionStartedAt !== undefined) span.executionStartedAt = executionStartedAt;
  if (node.denied !== undefined) span.denied = node.denied;
  if (input !== undefined) span.input = input;
  if (output !== undefined) span.output = output;
  return span;
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

/** What is not known is absent, not undefined. Not for what is made thousands of times: a store by a name that is no constant is slow. */
function known<S, K extends keyof S>(span: S, field: K, value: S[K] | undefined): void {
  if (value !== undefined) span[field] = value;
}

function settleInto(span: Draft<AgentSpan> | Draft<LlmSpan> | Draft<ToolSpan>, place: Place): void {
  if (place.parentSpanId !== undefined) span.parentSpanId = place.parentSpanId;
  if (place.parentIsRemote !== undefined) span.parentIsRemote = place.parentIsRemote;
  if (place.sessionId !== undefined) span.sessionId = place.sessionId;
}

function outputOf(blocks: readonly ContentBlock[] | undefined): readonly Message[] | undefined {
  return blocks === undefined || blocks.length === 0 ? undefined : [{ role: 'assistant', content: blocks }];
}

/** A subagent's words may be hidden from the stream, which shows its tool calls all the same. */
function blocksOf({ blocks, cliText, passed }: CallNode): readonly ContentBlock[] {
  if (passed !== undefined && passed.output.length >= blocks.length) return passed.output;
  if (!cliText || blocks.some((block) => block.type === 'text')) return blocks;
  return [{ type: 'text', text: cliText }, ...blocks];
}

/** When a source gave no time at all: no earlier than this … */
function notBefore({ startedAt, clock }: Place): UnixNano {
  return startedAt ?? clock.now();
}

/** … and no later than that. */
function notAfter({ endedAt, clock }: Place): UnixNano {
  return endedAt ?? clock.now();
}

function earlier(left: UnixNano | undefined, right: UnixNano | undefined): UnixNano | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return left < right ? left : right;
}

function later(time: UnixNano, than: UnixNano): UnixNano {
  return time > than ? time : than;
}

/** Sources measure with clocks of their own, which may be set meanwhile: what was before its span began is not known. */
function within(start: UnixNano, time: UnixNano | undefined, end: UnixNano): UnixNano | undefined {
  if (time === undefined || time < start) return undefined;
  return time > end ? end : time;
}
