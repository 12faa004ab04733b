import { given } from '../model/given.ts';
import type { SpanKey } from '../model/ids.ts';
import { isText } from '../model/message.ts';
import type { HookSeen } from '../model/observation.ts';
import type { HookSpan, Outcome, PermissionSpan, Span, ToolSpan } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import { buildAgent, buildCall, buildTool, type Place } from './build-span.ts';
import { appended, closed, NONE } from './lists.ts';
import { type AgentNode, agentOf, type CallNode, type Node, type Parent, type ToolNode, turnOf } from './nodes.ts';
import type { Run } from './run.ts';

/** Parents start before their children, whoever was seen first. */
export function startAgent(run: Run, node: AgentNode): void {
  const turn = turnOf(node);
  if (node.isStarted || turn === undefined) return;
  if (node.turn === undefined) start(run, parentOf(node) ?? turn);
  node.isStarted = true;
  if (run.options.output.hearsStarts === false) return;
  const context = run.options.output.start(started(buildAgent(node, placeOf(run, node, turn))));
  if (context !== undefined) node.sinkContext = context;
  // The first live sink opens a new trace; from here on it is ours too.
  if (context !== undefined && node === turn && node.parentContext === undefined) node.traceId = context.traceId;
}

export function startTool(run: Run, node: ToolNode): void {
  const turn = turnOf(node);
  if (node.isStarted || turn === undefined) return;
  if (node.parent !== undefined) startAgent(run, node.parent);
  node.isStarted = true;
  if (run.options.output.hearsStarts === false) return;
  run.options.output.start(started(buildTool(node, placeOf(run, node, turn))));
}

function beganBy(agent: AgentNode, time: UnixNano): void {
  if (agent.firstChildAt === undefined || time < agent.firstChildAt) agent.firstChildAt = time;
}

function start(run: Run, node: Parent): void {
  if (node.kind === 'agent') startAgent(run, node);
  else startTool(run, node);
}

/** Ends a call and tells its agent what became of it. */
export function endCall(run: Run, node: CallNode): void {
  const turn = turnOf(node);
  const agent = agentOf(node);
  if (node.parent === undefined || turn === undefined || agent === undefined) return;
  const span = buildCall(node, placeOf(run, node, turn));
  beganBy(agent, span.startedAt);
  start(run, node.parent);
  finish(run, node, span);
  node.parent.openCalls = closed(node.parent.openCalls, node);
  run.registry.closeCall(node);
  agent.llmCalls += 1;
  if (span.requestId !== undefined) turn.firstRequestId ??= span.requestId;
  const endedAt = span.endedAt ?? span.startedAt;
  if (span.purpose !== 'turn' || (agent.lastCallEndedAt !== undefined && agent.lastCallEndedAt > endedAt)) return;
  agent.lastCallEndedAt = endedAt;
  agent.lastOutcome = outcomeOfCall(span.status === 'error', span.stopReason);
  const answer = span.output?.[0]?.content;
  if (answer?.some(isText) === true) agent.lastOutput = answer;
}

/** A call outside of all turns is a delivery of its own. */
export function endStandalone(run: Run, node: CallNode): void {
  const { options, session } = run;
  const span = buildCall(node, {
    traceId: options.parent?.traceId ?? options.ids.traceId(),
    parentSpanId: options.parent?.spanId,
    parentIsRemote: options.parent?.isRemote,
    sessionId: session?.sessionId,
    agentName: options.agentName,
    requestModel: undefined,
    attributes: options.attributes,
    startedAt: undefined,
    endedAt: undefined,
    clock: options.clock,
  });
  finish(run, node, span);
  run.registry.closeCall(node);
  options.output.turnEnd(node.spanId);
}

const GOES_ON: ReadonlySet<string | undefined> = new Set(['tool_use', 'pause_turn']);

function outcomeOfCall(hasFailed: boolean, stopReason: string | undefined): Outcome | undefined {
  if (stopReason === 'refusal') return 'refused';
  if (hasFailed) return 'api_error';
  return GOES_ON.has(stopReason) ? undefined : 'completed';
}

/** Ends a tool call, and first whatever waits within it. */
export function endTool(run: Run, node: ToolNode): void {
  const { parent } = node;
  const turn = turnOf(node);
  if (parent === undefined || turn === undefined) return;
  if (node.cliSpan?.startedAt !== undefined) beganBy(parent, node.cliSpan.startedAt);
  startTool(run, node);
  const requestId = node.cliLog?.requestId;
  const requestedBy = requestId === undefined ? undefined : run.registry.spanIdOfCall(requestId);
  if (requestedBy !== undefined) node.requestedByLlmSpanId ??= requestedBy;
  const span = buildTool(node, placeOf(run, node, turn));
  if (node.permissions.length > 0) for (const permission of permissionsOf(run, node, span)) emitWhole(run, permission);
  finish(run, node, span);
  if (span.endedAt !== undefined) node.endedAt = span.endedAt;
  parent.openTools = closed(parent.openTools, node);
  parent.toolCalls += 1;
  if (run.options.expects.sdk === false && node.denied !== undefined) turn.denials += 1;
  run.registry.closeTool(node);
}

export function endAgent(run: Run, node: AgentNode): void {
  const turn = turnOf(node);
  if (turn === undefined) return;
  startAgent(run, node);
  emitPendingHooks(run, node);
  finish(run, node, buildAgent(node, placeOf(run, node, turn)));
  if (node.spawnedBy !== undefined) node.spawnedBy.openAgents = closed(node.spawnedBy.openAgents, node);
  run.registry.closeAgent(node);
  if (node.turn !== undefined || node.isSegment) run.options.output.turnEnd(node.spanId);
}

export function emitHook(run: Run, agent: AgentNode, seen: HookSeen): void {
  agent.pendingHooks = appended(agent.pendingHooks, seen);
  emitPendingHooks(run, agent);
}

export function emitPendingHooks(run: Run, agent: AgentNode): void {
  const turn = turnOf(agent);
  if (turn === undefined || agent.pendingHooks.length === 0) return;
  startAgent(run, agent);
  for (const seen of agent.pendingHooks) {
    emitWhole(run, hookSpan(run, agent, { seen, turn }));
  }
  agent.pendingHooks = NONE;
}

function finish(run: Run, node: Node, span: Span): void {
  node.isEnded = true;
  if (node.kind === 'llm') emitWhole(run, span);
  else run.options.output.end(span);
}

/** A span that is known as a whole when it is first told of. */
function emitWhole({ options: { output } }: Run, span: Span): void {
  if (output.hearsStarts !== false) output.start(started(span));
  output.end(span);
}

function hookSpan(
  run: Run,
  agent: AgentNode,
  { seen, turn }: { readonly seen: HookSeen; readonly turn: AgentNode },
): HookSpan {
  const place = placeOf(run, agent, turn);
  return {
    kind: 'hook',
    ...childBase(run, agent, place),
    key: `hook:${seen.id}` as SpanKey,
    startedAt: seen.startedAt,
    endedAt: seen.at > seen.startedAt ? seen.at : seen.startedAt,
    status: 'ok',
    seenBy: [seen.source],
    hookEvent: seen.hookEvent,
    hookName: seen.hookName,
    blocked: seen.blocked,
  };
}

function permissionsOf(run: Run, node: ToolNode, tool: ToolSpan): PermissionSpan[] {
  return node.permissions.map((seen) => ({
    kind: 'permission',
    ...childBase(run, node, tool),
    key: `permission:${tool.key}` as SpanKey,
    startedAt: seen.startedAt,
    endedAt: seen.endedAt,
    status: 'ok',
    seenBy: [seen.source],
    toolCallId: node.toolCallId,
    toolName: tool.toolName,
    decision: seen.decision,
    decidedBy: seen.decidedBy,
  }));
}

function childBase(
  run: Run,
  parent: Parent,
  from: Pick<Place, 'traceId' | 'attributes'> & { readonly sessionId?: string | undefined },
) {
  return {
    traceId: from.traceId,
    spanId: run.options.ids.spanId(),
    parentSpanId: parent.spanId,
    ...given('sessionId', from.sessionId),
    events: [],
    issues: [],
    attributes: from.attributes,
  };
}

function parentOf(node: Node): Parent | undefined {
  if (node.kind === 'agent') return node.spawnedBy ?? node.foundUnder;
  return node.parent;
}

function placeOf(run: Run, node: Node, turn: AgentNode): Place {
  const { options } = run;
  const parent = parentOf(node);
  const outer = node === turn ? turn.parentContext : undefined;
  const agent = agentOf(node);
  return {
    traceId: turn.traceId ?? options.ids.traceId(),
    parentSpanId: parent?.spanId ?? outer?.spanId,
    parentIsRemote: outer !== undefined && options.parent?.isRemote !== false ? true : undefined,
    sessionId: (turn.session ?? run.session)?.sessionId,
    agentName: agent?.agentName ?? options.agentName,
    requestModel: agent?.session?.requestModel,
    attributes: options.attributes,
    startedAt: turn.sdkStartedAt ?? turn.cliStartedAt,
    endedAt: turn.cliEndedAt ?? turn.sdkEndedAt,
    clock: options.clock,
  };
}

/** A span as it is told of when it starts: whole but for its end. */
function started<S extends Span>(span: S): Omit<S, 'endedAt'> & Span {
  const { endedAt: _, ...rest } = span;
  return rest as Omit<S, 'endedAt'> & Span;
}
