import type { CallPassed } from '../model/observation.ts';
import { usageConflicts } from '../model/usage.ts';
import { measuredUsage } from './call-usage.ts';
import { closed, opened } from './lists.ts';
import { type AgentNode, agentOf, type CallNode, mergeCalls } from './nodes.ts';
import { endStandalone } from './emit.ts';
import { attach } from './on-call.ts';
import type { NamedCall } from './registry.ts';
import type { Run } from './run.ts';
import { sawIt, WIRE } from './sources.ts';

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
  if (call.parent === undefined) run.passed = opened(run.passed, call);
}

/** It was told of as a call when it failed; then the same was asked again. */
function dropAttempt(run: Run, attempt: NamedCall): void {
  const call = run.passed.find(({ passed }) => passed !== undefined && isSameCall(passed.call, attempt));
  if (call === undefined || call.seenBy !== WIRE) return;
  run.passed = closed(run.passed, call);
  run.registry.dropCall(call);
}

function isSameCall(left: NamedCall, right: NamedCall): boolean {
  return left.requestId === right.requestId && left.messageId === right.messageId && left.unnamed === right.unnamed;
}

/**
 * A call that others know by no id, as of an API that sends none or one that was never reached, is one of its agent's that failed as it
 * did, or that used what it used.
 */
export function joinPassed(run: Run, call: CallNode): void {
  if (call.passed !== undefined || call.requestId !== undefined || run.passed.length === 0) return;
  const agentId = agentOf(call)?.agentId;
  const hasFailed = (call.sdkError ?? call.cliSpan?.error ?? call.cliLog?.error) !== undefined;
  const usage = measuredUsage(call);
  const same = run.passed.find(({ parent, passed }) => {
    if (passed === undefined || parent !== undefined || passed.agent.agentId !== agentId) return false;
    if (hasFailed) return passed.error !== undefined || passed.wasCut;
    return usage !== undefined && passed.usage !== undefined && usageConflicts(usage, passed.usage).length === 0;
  });
  if (same === undefined) return;
  run.passed = closed(run.passed, same);
  run.registry.dropCall(same);
  mergeCalls(call, same);
}

/** An agent that is about to end takes the calls of its own that only the wire has seen. */
export function adoptPassed(run: Run, agent: AgentNode): void {
  for (const call of run.passed) {
    const isPlaced = call.parent !== undefined;
    if (!isPlaced && !isItsOwn(run, call, agent)) continue;
    run.passed = closed(run.passed, call);
    if (!isPlaced) attachPassed(run, call, agent);
  }
}

function isItsOwn(run: Run, { passed }: CallNode, agent: AgentNode): boolean {
  if (passed === undefined) return false;
  if (agent.turn === undefined) return agent.agentId !== undefined && passed.agent.agentId === agent.agentId;
  // A turn may be told to have ended when the next is under way.
  const endedAt = agent.cliEndedAt ?? agent.sdkEndedAt ?? run.options.clock.now();
  return passed.agent.agentId === undefined && passed.startedAt <= endedAt;
}

function attachPassed(run: Run, call: CallNode, agent: AgentNode): void {
  attach(run, call, agent);
  call.isSdkDone = true;
}
