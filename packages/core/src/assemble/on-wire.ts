import type { CallPassed } from '../model/observation.ts';
import { usageConflicts } from '../model/usage.ts';
import { measuredUsage } from './call-usage.ts';
import { type AgentNode, agentOf, type CallNode, mergeCalls } from './nodes.ts';
import { endStandalone } from './emit.ts';
import { attach } from './on-call.ts';
import type { NamedCall } from './registry.ts';
import { addIssue, type Run } from './run.ts';
import { sawIt, WIRE } from './sources.ts';

/** A request holds the whole conversation before it. */
const MOST_PASSED = 256;

const UNCLAIMED = {
  code: 'parent_unknown',
  message: 'It passed on the wire, and nobody has told whose call it was.',
} as const;

/** Whose call it was, the stream or the CLI say, before or after; what neither speaks of is its agent's in the end. */
export function onCallPassed(run: Run, seen: CallPassed): void {
  run.wasWireSeen = true;
  for (const attempt of seen.replaces) dropAttempt(run, attempt);
  const call = run.registry.call(seen.call);
  if (call === undefined) {
    run.counters.late += 1;
    return;
  }
  sawIt(call, seen.source);
  call.passed = seen;
  if (seen.purpose === 'validation' && !run.expectsCli && call.parent === undefined) {
    endStandalone(run, call);
    return;
  }
  if (call.parent === undefined) awaitClaim(run, call);
}

/** Where nobody tells of turns, nobody ever will: the oldest wait no longer. */
function awaitClaim(run: Run, call: CallNode): void {
  run.passed.add(call);
  if (run.passed.size <= MOST_PASSED) return;
  const [oldest] = run.passed;
  if (oldest !== undefined) endUnclaimed(run, oldest);
}

/** What no turn has claimed is a trace of its own. */
export function endUnclaimed(run: Run, call: CallNode): void {
  run.passed.delete(call);
  if (call.passed === undefined || run.registry.call(call.passed.call) !== call) return;
  call.wasCut ||= call.passed.wasCut;
  addIssue(call, UNCLAIMED);
  endStandalone(run, call);
}

/** It was told of as a call when it failed; then the same was asked again. */
function dropAttempt(run: Run, attempt: NamedCall): void {
  const call = findPassed(run, ({ passed }) => passed !== undefined && isSameCall(passed.call, attempt));
  if (call === undefined || call.seenBy !== WIRE) return;
  run.passed.delete(call);
  run.registry.dropCall(call);
}

function findPassed(run: Run, isMeant: (call: CallNode) => boolean): CallNode | undefined {
  for (const call of run.passed) if (isMeant(call)) return call;
  return undefined;
}

function isSameCall(left: NamedCall, right: NamedCall): boolean {
  return left.requestId === right.requestId && left.messageId === right.messageId && left.unnamed === right.unnamed;
}

/**
 * A call that others know by no id, as of an API that sends none or one that was never reached, is one of its agent's that failed as it
 * did, or that used what it used.
 */
export function joinPassed(run: Run, call: CallNode): void {
  if (call.passed !== undefined || call.requestId !== undefined || run.passed.size === 0) return;
  const agentId = agentOf(call)?.agentId;
  const hasFailed = (call.sdkError ?? call.cliSpan?.error ?? call.cliLog?.error) !== undefined;
  const usage = measuredUsage(call);
  const same = findPassed(run, ({ passed }) => {
    if (passed === undefined || passed.agent.agentId !== agentId) return false;
    if (hasFailed) return passed.error !== undefined || passed.wasCut;
    return usage !== undefined && passed.usage !== undefined && usageConflicts(usage, passed.usage).length === 0;
  });
  if (same === undefined) return;
  run.passed.delete(same);
  run.registry.dropCall(same);
  mergeCalls(call, same);
}

/** An agent that is about to end takes the calls of its own that only the wire has seen. */
export function adoptPassed(run: Run, agent: AgentNode): void {
  for (const call of run.passed) {
    if (!isItsOwn(run, call, agent)) continue;
    attach(run, call, agent);
    call.isSdkDone = true;
  }
}

function isItsOwn(run: Run, call: CallNode, agent: AgentNode): boolean {
  const { passed } = call;
  // Found to be one with another, it lives on as that.
  if (passed === undefined || run.registry.call(passed.call) !== call) return false;
  if (agent.turn === undefined) return agent.agentId !== undefined && passed.agent.agentId === agent.agentId;
  // A turn may be told to have ended when the next is under way.
  const endedAt = agent.cliEndedAt ?? agent.sdkEndedAt ?? run.options.clock.now();
  return passed.agent.agentId === undefined && passed.startedAt <= endedAt;
}
