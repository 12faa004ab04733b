import type {
  AgentRef,
  AnswerSeen,
  AnswerText,
  CallFailed,
  CallMeasured,
  CallRef,
  StreamSeen,
} from '../model/observation.ts';
import type { LlmSpan, SourceName } from '../model/span.ts';
import { type UnixNano, unixNanoFromMs } from '../model/time.ts';
import { usageOf } from './call-usage.ts';
import type { AgentNode, CallNode, Parent } from './nodes.ts';
import { endStandalone } from './emit.ts';
import { onToolAsked } from './on-tool.ts';
import { appended, closed, NONE, opened } from './lists.ts';
import type { NamedCall } from './registry.ts';
import { sawIt, STREAM } from './sources.ts';
import { nowMs, place, placeNow, type Run } from './run.ts';

/** A sight of a call in the stream. */
interface Sight {
  readonly type: 'answer' | 'stream' | 'call-failed';
  readonly id: string;
  readonly isUnmeasured?: boolean;
  readonly agent: AgentRef;
  readonly call: CallRef;
  readonly at: UnixNano;
  readonly source: SourceName;
}

export function onAnswer(run: Run, seen: AnswerSeen): void {
  const sighted = sight(run, seen);
  if (sighted === undefined) return;
  const { call, agent } = sighted;
  if (call.sights.includes(seen.id)) {
    run.counters.duplicate += 1;
    return;
  }
  call.sights = appended(call.sights, seen.id);
  call.sdkModel ??= seen.model;
  call.blocks = call.blocks.length === 0 ? seen.blocks : [...call.blocks, ...seen.blocks];
  call.sdkEndedAt = seen.at;
  call.wasCut ||= seen.wasCut === true;
  if (seen.usage !== undefined) call.streamUsage = seen.usage;
  if (seen.stopReason !== undefined) call.streamStopReason = seen.stopReason;
  const { at, source } = seen;
  for (const block of seen.blocks) if (block.type === 'tool_use') onToolAsked(run, { call, agent, block, at, source });
}

export function onStream(run: Run, seen: StreamSeen): void {
  if (seen.phase !== 'requested') {
    streamed(run, seen);
    return;
  }
  place(run, seen.agent, (parent) => {
    if (parent.kind === 'agent') parent.requestedAt = seen.at;
  });
}

const LANDMARKS: Readonly<Record<StreamSeen['phase'], number>> = {
  requested: 0,
  start: 1,
  delta: 2,
  end: 4,
  abandoned: 0,
};

function streamed(run: Run, seen: StreamSeen): void {
  if (run.registry.wasAbandoned(seen.call)) {
    run.counters.duplicate += 1;
    return;
  }
  const sighted = sight(run, seen);
  if (sighted === undefined) return;
  const { call, agent } = sighted;
  if (seen.phase === 'abandoned') {
    abandon(run, { call, agent, at: seen.at });
    return;
  }
  const landmark = LANDMARKS[seen.phase];
  if ((call.landmarks & landmark) !== 0) {
    run.counters.duplicate += 1;
    return;
  }
  call.landmarks |= landmark;
  if (seen.phase === 'start') {
    call.sdkModel ??= seen.model ?? 'unknown';
    call.sdkFirstTokenAt = seen.at;
    if (seen.ttftMs !== undefined) call.sdkStartedAt = seen.at - unixNanoFromMs(seen.ttftMs);
    if (seen.usage !== undefined) call.streamStartUsage = seen.usage;
  } else if (seen.usage !== undefined) call.streamUsage = seen.usage;
  call.sdkEndedAt = seen.at;
  if (seen.stopReason !== undefined) call.streamStopReason = seen.stopReason;
  if (seen.phase === 'end') finishStream(run, call);
}

export function onCallFailed(run: Run, seen: CallFailed): void {
  const sighted = sight(run, seen);
  if (sighted === undefined) return;
  const { call, agent } = sighted;
  call.sdkError = seen.error;
  call.isUnmeasured ||= seen.isUnmeasured === true;
  // What a failed call carried is carried again by the next.
  agent.nextInput = [...call.input, ...agent.nextInput];
  if (seen.model !== undefined) call.sdkModel ??= seen.model;
  call.sdkEndedAt = seen.at;
  finishStream(run, call);
}

interface Sighted {
  readonly call: CallNode;
  readonly agent: AgentNode;
}

/** The call and whose it is, with what was waiting for the call at its first sight. Who sees a call knows whose it is. */
function sight(run: Run, seen: Sight): Sighted | undefined {
  const agent = placeNow(run, seen.agent);
  if (agent === undefined) return undefined;
  const call = callOf(run, seen, agent);
  if (call === undefined) {
    run.counters.late += 1;
    return undefined;
  }
  attach(run, call, agent);
  if ((call.seenBy & STREAM) === 0) firstSight(run, call, agent);
  sawIt(call, seen.source);
  return { call, agent };
}

/** The blocks of an answer come one by one, and so do its failures. */
function callOf(run: Run, seen: Sight, agent: AgentNode): CallNode | undefined {
  const { currentCall } = agent;
  const { messageId, requestId } = seen.call;
  const isCurrent =
    currentCall !== undefined &&
    !currentCall.isEnded &&
    (messageId !== undefined || requestId !== undefined) &&
    (messageId === undefined || messageId === currentCall.messageId) &&
    (requestId === undefined || requestId === currentCall.requestId);
  return isCurrent ? currentCall : run.registry.call(streamName(run, seen, agent));
}

function firstSight(run: Run, call: CallNode, agent: AgentNode): void {
  run.hasCalls = true;
  if (agent.currentCall !== undefined && agent.currentCall !== call) finishStream(run, agent.currentCall);
  agent.currentCall = call;
  call.input = agent.nextInput;
  agent.nextInput = NONE;
  call.retries = agent.pendingRetries;
  agent.pendingRetries = NONE;
  const askedAt = agent.requestedAt ?? agent.lastInputAt ?? agent.sdkStartedAt;
  if (askedAt !== undefined) call.sdkStartedAt ??= notBefore(askedAt, agent.sdkStartedAt);
  agent.requestedAt = undefined;
}

/** From here on only the CLI is waited for. */
function finishStream(run: Run, call: CallNode): void {
  call.isSdkDone = true;
  if (run.expectsCli || run.expectsWire) call.deadline ??= nowMs(run) + run.options.settleMs;
}

interface Abandoned {
  readonly call: CallNode;
  readonly agent: AgentNode;
  readonly at: UnixNano;
}

/** The answer broke off and is asked for again under another id: it was an attempt, not a call, unless blocks of it were kept. */
function abandon(run: Run, { call, agent, at }: Abandoned): void {
  if (call.blocks.length > 0) {
    call.wasCut = true;
    finishStream(run, call);
    return;
  }
  run.registry.abandonCall(call);
  if (call.parent !== undefined) call.parent.openCalls = closed(call.parent.openCalls, call);
  if (agent.currentCall === call) agent.currentCall = undefined;
  agent.nextInput = [...call.input, ...agent.nextInput];
  const cut = { name: 'retry', at, attributes: { reason: 'stream_cut' } } as const;
  agent.pendingRetries = [...call.retries, cut, ...agent.pendingRetries];
}

export function onCallMeasured(run: Run, seen: CallMeasured): void {
  const { requestId, messageId } = seen.call;
  if (requestId === undefined && messageId === undefined) {
    const { ordinal = 0, purpose } = seen;
    place(run, seen.agent, (parent) =>
      measure(run, seen, { ref: { unnamed: rowName(parent, purpose, ordinal) }, parent }),
    );
    return;
  }
  measure(run, seen, { ref: seen.call });
}

function measure(run: Run, seen: CallMeasured, where: { readonly ref: NamedCall; readonly parent?: Parent }): void {
  const call = run.registry.call(where.ref);
  if (call === undefined) {
    run.counters.late += 1;
    return;
  }
  sawIt(call, seen.source);
  if (seen.part === 'span') call.cliSpan = seen;
  else call.cliLog = seen;
  if (where.parent !== undefined) attach(run, call, where.parent);
  else if (seen.part === 'span' && isStandalone(seen)) {
    count(run, call);
    endStandalone(run, call);
    return;
  } else if (!place(run, seen.agent, (parent) => attach(run, call, parent)) && call.parent === undefined) {
    run.registry.dropCall(call);
    return;
  }
  countIfFinal(run, call);
}

export function onAnswerText(run: Run, seen: AnswerText): void {
  const call = run.registry.call(seen.call);
  if (call !== undefined && seen.text !== undefined) call.cliText = seen.text;
}

/** `model_validation` belongs to no turn: it has no parent, in the CLI's own tracing either. */
function isStandalone({ agent, purpose }: CallMeasured): boolean {
  return purpose === 'validation' && agent.cliParentId === undefined && agent.agentId === undefined;
}

/**
 * Where an API sends no `request-id`, the stream knows a call by its message and the CLI does not know it at all: the two are told
 * to be one by their place in the row of such calls of one agent.
 */
function streamName(run: Run, { type, id, call, isUnmeasured }: Sight, agent: AgentNode): NamedCall {
  if (call.requestId !== undefined || type === 'stream') return call;
  if (isUnmeasured === true) return { ...call, unnamed: `u:${id}` };
  if (run.registry.isNamed(call)) return call;
  const unnamed = rowName(agent, 'turn', agent.unnamedCalls);
  agent.unnamedCalls += 1;
  return { ...call, unnamed };
}

function rowName(parent: Parent, purpose: LlmSpan['purpose'], ordinal: number): string {
  return `u:${parent.spanId}:${purpose}:${ordinal}`;
}

export function attach(run: Run, call: CallNode, parent: Parent): void {
  if (call.parent !== undefined || call.isEnded) return;
  if (call.passed !== undefined) run.passed.delete(call);
  if (parent.isEnded) {
    run.counters.late += 1;
    run.registry.dropCall(call);
    return;
  }
  call.parent = parent;
  parent.openCalls = opened(parent.openCalls, call);
}

/** A call's figures are final when both its span and the log that prices it are there. */
export function countIfFinal(run: Run, call: CallNode): void {
  const { cliSpan, cliLog } = call;
  if (call.isCounted || cliSpan === undefined || cliLog === undefined) return;
  count(run, call);
}

export function count(run: Run, call: CallNode): void {
  const { cliSpan, cliLog } = call;
  call.isCounted = true;
  run.ledger.add({
    endedAt: cliSpan?.endedAt ?? cliLog?.endedAt ?? call.sdkEndedAt ?? run.options.clock.now(),
    usage: usageOf(call),
    costUsd: cliLog?.costUsd,
  });
}

/** Messages carry the CLI's own time, while an agent begins when its first sign is read. */
function notBefore(time: UnixNano, start: UnixNano | undefined): UnixNano {
  return start !== undefined && time < start ? start : time;
}
