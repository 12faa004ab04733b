import type { UnixNano } from '../model/time.ts';
import type { Totals } from '../model/usage.ts';
import { isNegativeUsage, subtractUsage } from '../model/usage.ts';
import { endAgent, endCall, endTool, emitPendingHooks } from './emit.ts';
import { NONE, type Open } from './lists.ts';
import { type AgentNode, agentOf, type CallNode, type ToolNode, turnOf } from './nodes.ts';
import { count } from './on-call.ts';
import { adoptPassed, endUnclaimed, joinPassed } from './on-wire.ts';
import { outcomeOfCli } from './outcome.ts';
import { addIssue, nowMs, type Run, turnAt } from './run.ts';
import { STREAM } from './sources.ts';
import { addTotals } from './totals.ts';

/** Ends whatever has been heard of by all who will speak of it, innermost first, until nothing more moves. */
export function settle(run: Run): void {
  const { registry } = run;
  const { subagents } = registry;
  for (;;) {
    const { turns } = registry;
    // Within one turn, what ends can let only that end which has its place after it.
    const isAlone = subagents.size === 0 && turns.length === 1;
    let hasMoved = false;
    let hasEnded = false;
    for (const subagent of subagents.size === 0 ? NONE : subagents) {
      if (settleChildren(run, subagent)) hasMoved = true;
      if (!isSubagentDone(run, subagent)) continue;
      endSubagent(run, subagent);
      hasEnded = true;
    }
    // By index, here and below: this is asked of everything open, with each request, and an iterator is one more object to collect.
    for (let at = 0; at < turns.length; at++) {
      const turn = turns[at] as AgentNode;
      if (settleChildren(run, turn)) hasMoved = true;
      if (!isTurnDone(run, turn)) continue;
      endTurn(run, turn);
      hasEnded = true;
    }
    if (!hasEnded && (isAlone || !hasMoved)) return;
  }
}

/** The process is gone and all that it sent has arrived: everything ends now. */
export function settleAll(run: Run): void {
  run.isSdkOver = true;
  run.isProcessGone = true;
  const place = run.registry.turnForUnplaced();
  const last = place === undefined ? undefined : turnAt(run, place);
  if (last !== undefined) {
    for (const subagent of run.registry.subagents) {
      if (turnOf(subagent) !== undefined) continue;
      subagent.foundUnder = last;
      addIssue(subagent, PARENT_UNKNOWN);
    }
    run.registry.placeWaiting(last);
  }
  settle(run);
  for (const turn of run.registry.turns) endTurn(run, turn);
  for (const subagent of [...run.registry.subagents]) endUnfinished(run, subagent);
  for (const call of run.passed) endUnclaimed(run, call);
  run.counters.unplaced += run.registry.dropUnplaced();
  run.ledger.clear();
}

const PARENT_UNKNOWN = {
  code: 'parent_unknown',
  message: 'The span that it belongs to was never reported; it is shown under its turn.',
} as const;
const NO_END = { code: 'no_end', message: 'Its end was never reported; it ends with the turn.' } as const;
const PROCESS_GONE = { code: 'process_gone', message: 'The Claude Code process was gone before it ended.' } as const;
const NO_RESULT = {
  code: 'no_result',
  message: 'The query ended without a result: what was used is known as far as it was counted.',
} as const;
const UNATTRIBUTED = {
  code: 'unattributed',
  message: 'The totals of the turn hold more than its model calls account for.',
} as const;
const OVERCOUNTED = {
  code: 'conflict',
  message: 'The model calls of the turn hold more than its totals, which leave some of them out.',
} as const;
const STREAM_CUT = { code: 'stream_cut', message: 'The answer was cut off; what it used is not known.' } as const;
const SILENT = {
  code: 'telemetry_silent',
  message:
    'The CLI was asked for its telemetry and sent none: exact tokens, cost and times per call are missing. A settings file may override its environment.',
} as const;

function settleChildren(run: Run, agent: AgentNode): boolean {
  let hasMoved = false;
  if (turnOf(agent) === undefined) return false;
  if (agent.pendingHooks.length > 0) emitPendingHooks(run, agent);
  const { openTools } = agent;
  for (let at = 0; at < openTools.length; at++) {
    const tool = openTools[at] as ToolNode;
    if (tool.openCalls.length > 0 && settleCalls(run, tool.openCalls)) hasMoved = true;
    if (!isToolDone(run, tool)) continue;
    finishTool(run, tool);
    hasMoved = true;
  }
  return settleCalls(run, agent.openCalls) || hasMoved;
}

function settleCalls(run: Run, calls: Open<CallNode>): boolean {
  let hasMoved = false;
  for (let at = 0; at < calls.length; at++) {
    const call = calls[at] as CallNode;
    if (!isCallDone(run, call)) continue;
    finishCall(run, call);
    hasMoved = true;
  }
  return hasMoved;
}

function finishCall(run: Run, call: CallNode): void {
  joinPassed(run, call);
  // A stream that began and never told why it stopped was cut, unless the CLI says that it took the answer.
  const wasStreaming = call.sdkFirstTokenAt !== undefined && call.streamStopReason === undefined;
  if (wasStreaming && call.cliSpan === undefined && call.sdkError === undefined) call.wasCut = true;
  if (call.passed?.wasCut === true) call.wasCut = true;
  if (call.wasCut) addIssue(call, STREAM_CUT);
  if (!call.isCounted) count(run, call);
  endCall(run, call);
}

/** What nobody saw end was cut off with its turn. */
function finishTool(run: Run, tool: ToolNode): void {
  if (tool.cliSpan === undefined && tool.cliExecution === undefined && !tool.hasOutput) {
    tool.errorType = 'cancelled';
    addIssue(tool, run.isProcessGone ? PROCESS_GONE : NO_END);
  }
  endTool(run, tool);
}

function isCallDone(run: Run, call: CallNode): boolean {
  const agent = agentOf(call);
  if (agent === undefined) return false;
  const wasStreamed = (call.seenBy & STREAM) !== 0;
  const isStreamDone = call.isSdkDone || isStreamOver(run, agent) || (!wasStreamed && isAuxiliary(call));
  if (!isStreamDone) return false;
  if (isPastDeadline(run, call)) {
    if (call.passed === undefined && !run.wasWireSeen) run.expectsWire = false;
    return true;
  }
  if (awaitsWire(run, call)) return false;
  return call.wasCut || call.isUnmeasured || isCallMeasured(run, call, agent);
}

/** What the stream has told to its end is about to be read off the wire as well. */
function awaitsWire(run: Run, call: CallNode): boolean {
  return run.expectsWire && call.passed === undefined && call.deadline !== undefined && !run.isProcessGone;
}

function isCallMeasured(run: Run, call: CallNode, agent: AgentNode): boolean {
  if (!run.expectsCli || run.isProcessGone) return true;
  if (call.cliSpan !== undefined && (call.cliLog !== undefined || call.cliSpan.purpose === 'validation')) return true;
  // Spans are exported in the order of their ends: what the main loop's own span does not follow will not come.
  return (
    agent.turn !== undefined &&
    agent.cliEndedAt !== undefined &&
    call.cliSpan === undefined &&
    call.cliLog === undefined
  );
}

function isAuxiliary(call: CallNode): boolean {
  const purpose = call.cliSpan?.purpose ?? call.cliLog?.purpose ?? 'turn';
  return purpose !== 'turn';
}

function isToolDone(run: Run, tool: ToolNode): boolean {
  const agent = tool.parent;
  if (agent === undefined || tool.openCalls.length > 0) return false;
  if (!tool.inBackground && holdsForeground(run, tool)) return false;
  if (!tool.hasOutput && !isStreamOver(run, agent)) return false;
  if (awaitsResult(run, tool)) return false;
  if (!run.expectsCli || run.isProcessGone || isPastDeadline(run, tool)) return true;
  if (tool.cliSpan !== undefined)
    return run.options.expects.sdk || tool.cliLog !== undefined || tool.denied !== undefined;
  return agent.turn !== undefined && agent.cliEndedAt !== undefined;
}

/** Where turns are those of telemetry, who has told of the call in a session file is about to tell of its result. */
function awaitsResult(run: Run, tool: ToolNode): boolean {
  return !run.options.expects.sdk && !run.isProcessGone && !tool.hasOutput && (tool.seenBy & STREAM) !== 0;
}

/** By telemetry alone: the CLI logs a foreground subagent's end before the result of the call that asked for it. */
function holdsForeground(run: Run, tool: ToolNode): boolean {
  const isLaunch = !run.options.expects.sdk && tool.cliSpan?.endedAt !== undefined && tool.cliLog !== undefined;
  if (!isLaunch) return tool.openAgents.length > 0;
  for (const { cliEndedAt } of tool.openAgents)
    if (cliEndedAt !== undefined && !isAfter(cliEndedAt, endOfTool(tool))) return true;
  return false;
}

function endOfTool({ endedAt, cliSpan, cliLog }: ToolNode): UnixNano | undefined {
  const [bySpan, byLog] = [cliSpan?.endedAt, cliLog?.endedAt];
  if (endedAt !== undefined || bySpan === undefined || byLog === undefined) return endedAt;
  return bySpan > byLog ? bySpan : byLog;
}

function isSubagentDone(run: Run, agent: AgentNode): boolean {
  const turn = turnOf(agent);
  const end = agent.cliEndedAt ?? agent.sdkEndedAt;
  if (turn === undefined || end === undefined || hasOpen(agent)) return false;
  if (!isStreamOver(run, agent)) return false;
  const isInTime = run.isProcessGone || endsWithinTurn(run, agent, { turn, end });
  if (!turn.isEnded && !isInTime) return false;
  if (!run.expectsCli || run.isProcessGone || isPastDeadline(run, agent)) return true;
  return agent.cliEndedAt !== undefined || (!agent.inBackground && agent.spawnedBy?.cliLog !== undefined);
}

/** What outlives its turn is delivered after it, however soon its end was heard of. */
function endsWithinTurn(
  run: Run,
  agent: AgentNode,
  { turn, end }: { readonly turn: AgentNode; readonly end: UnixNano },
): boolean {
  const endOfTurn = turn.cliEndedAt ?? turn.sdkEndedAt;
  if (run.options.expects.sdk) return !agent.inBackground || !isAfter(end, endOfTurn);
  const launched = agent.spawnedBy === undefined ? undefined : endOfTool(agent.spawnedBy);
  if (launched !== undefined && end <= launched) return true;
  return launched !== undefined && endOfTurn !== undefined && end <= endOfTurn;
}

function endSubagent(run: Run, agent: AgentNode): void {
  if (run.passed.size > 0) {
    adoptPassed(run, agent);
    for (const call of agent.openCalls) finishCall(run, call);
  }
  agent.isSegment ||= turnOf(agent)?.isEnded === true;
  endAgent(run, agent);
}

function isTurnDone(run: Run, turn: AgentNode): boolean {
  const hasResult = turn.result !== undefined;
  if (run.options.expects.sdk && !hasResult && !run.isSdkOver) return false;
  if (isPastDeadline(run, turn)) return true;
  if (run.expectsCli && !run.isProcessGone && (turn.cliEndedAt === undefined || !turn.isPromptLogged)) return false;
  if (hasOpen(turn)) return false;
  if (run.isProcessGone || !run.expectsCli) return true;
  if (hasResult) return remainderOf(run, turn) === undefined;
  // Spans and logs come apart: by telemetry alone, what happened in a turn may still be told when the next has begun.
  if (!run.options.expects.sdk) return false;
  // Without a result its totals are what the CLI has counted, which is known for certain when the process is gone.
  return !isLatest(run, turn);
}

function isLatest(run: Run, { turn }: AgentNode): boolean {
  return turn !== undefined && run.registry.isLatest(turn);
}

/** Background subagents and the calls that launched them hold nobody up. */
function hasOpen(agent: AgentNode): boolean {
  if (agent.openCalls.length > 0) return true;
  for (const tool of agent.openTools) if (!tool.inBackground || tool.openAgents.length === 0) return true;
  return false;
}

function endTurn(run: Run, turn: AgentNode): void {
  if (run.expectsCli && !run.wasCliSeen) {
    run.expectsCli = false;
    run.wasCliSilent = turn.result !== undefined;
    // Of a process that never began, nothing was to be expected: what was thrown says why.
    const hasBegun = turn.thrown === undefined || run.session !== undefined;
    if (hasBegun) addIssue(turn, SILENT);
  }
  adoptPassed(run, turn);
  endOpen(run, turn);
  reconcile(run, turn);
  const hasEnd = turn.cliEndedAt !== undefined || turn.sdkEndedAt !== undefined;
  if (turn.result === undefined) {
    turn.outcome ??= hasEnd ? outcomeOfCli(turn, run.wasStopped) : 'crashed';
    if (run.options.expects.sdk) addIssue(turn, NO_RESULT);
  }
  if (!hasEnd) {
    turn.sdkEndedAt = run.options.clock.now();
    addIssue(turn, run.isProcessGone ? PROCESS_GONE : NO_END);
  }
  endAgent(run, turn);
}

/** Whatever is still open below ends with its agent; background subagents go on as segments of their own. */
function endOpen(run: Run, agent: AgentNode): void {
  for (const tool of agent.openTools) {
    for (const subagent of tool.openAgents) {
      if (subagent.inBackground && !run.isProcessGone) subagent.isSegment = true;
      else endUnfinished(run, subagent);
    }
    for (const call of tool.openCalls) finishCall(run, call);
    finishTool(run, tool);
  }
  for (const call of agent.openCalls) {
    if (call.cliSpan === undefined && call.sdkError === undefined && !call.isSdkDone) call.wasCut = true;
    finishCall(run, call);
  }
}

function endUnfinished(run: Run, subagent: AgentNode): void {
  if (subagent.isEnded) return;
  const turn = turnOf(subagent);
  endOpen(run, subagent);
  if (subagent.sdkEndedAt === undefined && subagent.cliEndedAt === undefined) {
    subagent.sdkEndedAt = turn?.cliEndedAt ?? turn?.sdkEndedAt ?? run.options.clock.now();
    subagent.outcome ??= turn?.outcome === 'completed' ? 'crashed' : (turn?.outcome ?? 'crashed');
    addIssue(subagent, run.isProcessGone ? PROCESS_GONE : NO_END);
  }
  endSubagent(run, subagent);
}

function reconcile(run: Run, turn: AgentNode): void {
  const totals = totalsOf(run, turn);
  if (totals === undefined) {
    if (!run.options.expects.sdk) run.ledger.fold();
    return;
  }
  turn.totals = totals;
  run.claimed = run.claimed === undefined ? totals : addTotals(run.claimed, totals);
  const balance = run.ledger.balance(totals, turn.result === undefined ? undefined : endOf(run, turn));
  run.ledger.settle(balance);
  if (balance.remainder === undefined) return;
  turn.unattributed = balance.remainder;
  addIssue(turn, isNegative(balance.remainder) ? OVERCOUNTED : UNATTRIBUTED);
}

function isNegative({ usage, costUsd }: Totals): boolean {
  return isNegativeUsage(usage) || (costUsd ?? 0) < 0;
}

function remainderOf(run: Run, turn: AgentNode): Totals | undefined {
  const totals = totalsOf(run, turn);
  return totals === undefined ? undefined : run.ledger.balance(totals, endOf(run, turn)).remainder;
}

/** The result's figures; for the last turn of a process, if it has none, what the CLI has counted and no earlier turn has claimed. */
function totalsOf(run: Run, turn: AgentNode): Totals | undefined {
  if (turn.totals !== undefined || turn.result !== undefined || run.counted === undefined) return turn.totals;
  // The CLI goes on counting until its process is gone; a session file has its last word.
  if ((run.expectsCli && !run.isProcessGone) || !isLatest(run, turn)) return undefined;
  if (run.claimed === undefined) return run.counted;
  const usage = subtractUsage(run.counted.usage, run.claimed.usage);
  if (run.counted.costUsd === undefined) return { usage };
  return { usage, costUsd: run.counted.costUsd - (run.claimed.costUsd ?? 0) };
}

function endOf(run: Run, turn: AgentNode): UnixNano {
  return turn.cliEndedAt ?? turn.sdkEndedAt ?? run.options.clock.now();
}

/** Nothing more of this agent will come from the stream. */
function isStreamOver(run: Run, agent: AgentNode): boolean {
  if (run.isSdkOver || agent.sdkEndedAt !== undefined) return true;
  const turn = turnOf(agent);
  return turn?.sdkEndedAt !== undefined && !agent.inBackground;
}

function isPastDeadline(run: Run, { deadline }: { readonly deadline: number | undefined }): boolean {
  if (!run.heedsDeadlines || deadline === undefined) return false;
  const leftMs = deadline - nowMs(run);
  // Longer than anything may wait: the clock was set back meanwhile.
  return leftMs <= 0 || leftMs > run.options.settleMs;
}

function isAfter(time: UnixNano, than: UnixNano | undefined): boolean {
  return than !== undefined && time > than;
}
