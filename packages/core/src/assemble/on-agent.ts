import type { HookSeen, TaskEnded, TaskStarted } from '../model/observation.ts';
import type { Outcome } from '../model/span.ts';
import { emitHook, startAgent } from './emit.ts';
import { agentOf } from './nodes.ts';
import { sawIt } from './sources.ts';
import { nowMs, place, type Run } from './run.ts';

export function onTaskStart(run: Run, seen: TaskStarted): void {
  const ref = { agentId: seen.agentId, ...(seen.toolCallId === undefined ? {} : { toolCallId: seen.toolCallId }) };
  place(run, ref, (subagent) => {
    if (subagent.kind !== 'agent') return;
    sawIt(subagent, seen.source);
    subagent.sdkStartedAt ??= seen.at;
    subagent.lastInputAt ??= seen.at;
    if (seen.agentName !== undefined) {
      subagent.agentName = seen.agentName;
      subagent.isNamed = true;
    }
    if (seen.inBackground === true) {
      subagent.inBackground = true;
      if (subagent.spawnedBy !== undefined) subagent.spawnedBy.inBackground = true;
    }
    startAgent(run, subagent);
  });
}

const OUTCOME: Readonly<Record<TaskEnded['outcome'], Outcome>> = {
  completed: 'completed',
  failed: 'crashed',
  stopped: 'interrupted',
};

export function onTaskEnd(run: Run, seen: TaskEnded): void {
  const subagent = run.registry.subagent({ agentId: seen.agentId });
  if (subagent === undefined) {
    // A foreground subagent ends with the span of the call that asked for it; the log of its end may follow and adds nothing.
    if (seen.source !== 'cli') run.counters.late += 1;
    return;
  }
  sawIt(subagent, seen.source);
  // The CLI calls every agent that the user defined the same; the stream has its name.
  if (seen.agentName !== undefined && !subagent.isNamed) subagent.agentName = seen.agentName;
  if (seen.source === 'cli') subagent.cliEndedAt ??= seen.at;
  else {
    subagent.sdkEndedAt ??= seen.at;
    subagent.outcome =
      subagent.outcome === undefined || subagent.outcome === 'completed' ? OUTCOME[seen.outcome] : subagent.outcome;
    if (subagent.currentCall !== undefined) subagent.currentCall.isSdkDone = true;
    subagent.deadline ??= nowMs(run) + run.options.settleMs;
  }
}

export function onHook(run: Run, seen: HookSeen): void {
  place(run, seen.agent, (parent) => {
    const agent = agentOf(parent);
    if (agent === undefined || agent.isEnded) run.counters.late += 1;
    else emitHook(run, agent, seen);
  });
}
