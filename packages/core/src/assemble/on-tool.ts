import type { ContentBlock } from '../model/message.ts';
import type { PermissionSeen, ToolHandlerStarted, ToolMeasured, ToolResultSeen } from '../model/observation.ts';
import type { SourceName } from '../model/span.ts';
import type { UnixNano } from '../model/time.ts';
import { startTool } from './emit.ts';
import { type AgentNode, agentOf, type CallNode, type Parent, type ToolNode } from './nodes.ts';
import { appended, opened } from './lists.ts';
import { sawIt } from './sources.ts';
import { nowMs, place, type Run, tellAgent, turnAt } from './run.ts';

interface Asked {
  readonly call: CallNode;
  readonly agent: AgentNode;
  readonly block: ContentBlock & { readonly type: 'tool_use' };
  readonly at: UnixNano;
  readonly source: SourceName;
}

/** The model asked for a tool: its span starts here for those who watch live. */
export function onToolAsked(run: Run, { call, agent, block, at, source }: Asked): void {
  const askedBy = call.requestId ?? call.messageId;
  const tool = run.registry.tool(block.id, askedBy);
  if (tool === undefined) {
    run.counters.late += 1;
    return;
  }
  sawIt(tool, source);
  tool.call = call;
  if (askedBy !== undefined) tool.askedBy = askedBy;
  tool.requestedByLlmSpanId = call.spanId;
  tool.toolName = block.name;
  tool.input = block.input;
  tool.hasInput = true;
  tool.sdkStartedAt ??= at;
  attach(run, tool, agent);
  startTool(run, tool);
}

export function onToolResult(run: Run, seen: ToolResultSeen): void {
  const tool = run.registry.tool(seen.toolCallId);
  const known = tool === undefined ? run.registry.resultIdOf(seen.toolCallId) : tool.slot.resultId;
  if (known === seen.id) {
    run.counters.duplicate += 1;
    return;
  }
  if (tool === undefined) {
    run.counters.late += 1;
    if (seen.message !== undefined) tellAgent(run, seen, seen.message);
    return;
  }
  tool.slot.resultId = seen.id;
  sawIt(tool, seen.source);
  if (tool.parent === undefined) place(run, seen.agent, (parent) => attach(run, tool, parent));
  tool.output = seen.output;
  tool.hasOutput = true;
  tool.isError = seen.isError;
  if (seen.errorType !== undefined) tool.errorType = seen.errorType;
  if (seen.denied !== undefined) tool.denied = seen.denied;
  tool.sdkEndedAt = seen.at;
  tool.inBackground ||= seen.inBackground === true;
  if (run.expectsCli) tool.deadline = nowMs(run) + run.options.settleMs;
  // A CLI that tells nothing of tasks still ends a foreground subagent with the result of the call that asked for it.
  if (!tool.inBackground && tool.openAgents.length > 0)
    for (const subagent of tool.openAgents) subagent.sdkEndedAt ??= seen.at;
  if (seen.message !== undefined) tellAgent(run, seen, seen.message);
}

export function onToolMeasured(run: Run, seen: ToolMeasured): void {
  const tool = run.registry.tool(seen.toolCallId, undefined, seen.cliToolSpanId);
  if (tool === undefined) {
    // Of a call that the stream has told in full, the log adds nothing.
    if (seen.part !== 'log') run.counters.late += 1;
    run.registry.nameEndedTool([seen.cliSpanId, seen.cliToolSpanId], seen.toolCallId);
    return;
  }
  sawIt(tool, seen.source);
  if (seen.part === 'span') tool.cliSpan = seen;
  else if (seen.part === 'execution') tool.cliExecution = seen;
  else if (seen.part === 'hook') tool.hook = seen;
  else tool.cliLog = seen;
  if (seen.cliSpanId !== undefined) run.registry.nameCliSpan(seen.cliSpanId, tool);
  // An execution's parent is the call's own span, which says nothing of whose call it is.
  if (seen.part === 'execution') return;
  const isPlaced = place(run, seen.agent, (parent) => attach(run, tool, parent));
  if (!isPlaced && tool.parent === undefined) run.registry.closeTool(tool);
}

/** A host's handler runs: whoever is called from it must find the span of the call, read or not. */
export function onToolHandler(run: Run, seen: ToolHandlerStarted): void {
  const known = run.registry.openTool(seen.toolCallId);
  const tool = known ?? run.registry.tool(seen.toolCallId);
  if (tool === undefined) return;
  tool.toolName ??= seen.toolName;
  tool.sdkStartedAt ??= seen.at;
  if (tool.parent === undefined) {
    const turn = turnAt(run, seen.turn);
    if (turn !== undefined) attach(run, tool, turn);
  }
  startTool(run, tool);
}

export function onPermission(run: Run, seen: PermissionSeen): void {
  // An allowance that nobody was asked for says nothing, and its tool may never have run.
  if (seen.decision === 'allow' && !seen.wasAsked) return;
  const decide = (tool: ToolNode | undefined): void => {
    if (tool === undefined || tool.isEnded) {
      run.counters.late += 1;
      return;
    }
    if (seen.decision === 'deny') tool.denied ??= { decidedBy: seen.decidedBy };
    if (seen.wasAsked) tool.permissions = appended(tool.permissions, seen);
  };
  if (seen.toolCallId !== undefined) decide(run.registry.openTool(seen.toolCallId));
  else if (seen.cliToolSpanId !== undefined) {
    run.registry.whenPlaced(seen.cliToolSpanId, (parent) => decide(parent.kind === 'tool' ? parent : undefined));
  }
}

function attach(run: Run, tool: ToolNode, parent: Parent): void {
  const agent = agentOf(parent);
  if (agent === undefined || tool.parent !== undefined || tool.isEnded) return;
  if (agent.isEnded) {
    run.counters.late += 1;
    run.registry.closeTool(tool);
    return;
  }
  tool.parent = agent;
  agent.openTools = opened(agent.openTools, tool);
}
