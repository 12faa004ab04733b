import type {
  CountersSeen,
  EventSeen,
  InputSeen,
  QueryEnded,
  SessionSeen,
  TurnMeasured,
  TurnResult,
  TurnStarted,
} from '../model/observation.ts';
import type { TraceContext } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { subtractUsage, type Totals } from '../model/usage.ts';
import { addTotals } from './totals.ts';
import { appended } from './lists.ts';
import type { AgentNode } from './nodes.ts';
import { outcomeOfEnd, outcomeOfResult } from './outcome.ts';
import { sawIt } from './sources.ts';
import { nowMs, place, type Run, turnAt, tellAgent } from './run.ts';

export function onSession(run: Run, seen: SessionSeen): void {
  run.session = { ...run.session, ...seen };
  const turn = seen.turn === undefined ? undefined : turnAt(run, seen.turn);
  if (turn !== undefined) turn.session = run.session;
}

export function onTurnStart(run: Run, seen: TurnStarted): void {
  const turn = turnAt(run, seen.turn, seen.userMessageId);
  if (turn === undefined) {
    if (seen.cliSpanId !== undefined) run.registry.nameEndedTurn(seen.cliSpanId, seen.turn);
    return;
  }
  sawIt(turn, seen.source);
  if (seen.cliSpanId !== undefined) run.registry.nameCliSpan(seen.cliSpanId, turn);
  turn.trigger = moreTelling(turn.trigger, seen.trigger);
  if (seen.userMessageId !== undefined) turn.userMessageId ??= seen.userMessageId;
  if (seen.source === 'cli') {
    turn.isPromptLogged = true;
    turn.cliStartedAt ??= seen.at;
    // The stream's own prompt is the whole message; the CLI's log is its text.
    if (seen.prompt !== undefined && !run.options.expects.sdk) takePrompt(turn, seen.prompt);
    return;
  }
  turn.sdkStartedAt ??= seen.at;
  turn.lastInputAt ??= seen.at;
  if (seen.prompt !== undefined) takePrompt(turn, seen.prompt);
}

const TELLING = ['prompt', 'command', 'task_notification'] as const;

function moreTelling(left: AgentNode['trigger'], right: AgentNode['trigger']): NonNullable<AgentNode['trigger']> {
  return TELLING[Math.max(TELLING.indexOf(left ?? 'prompt'), TELLING.indexOf(right ?? 'prompt'))] ?? 'prompt';
}

function takePrompt(turn: AgentNode, prompt: Message): void {
  turn.input = appended(turn.input, prompt);
  turn.nextInput = appended(turn.nextInput, prompt);
}

export function onTurnMeasured(run: Run, seen: TurnMeasured): void {
  const turn = turnAt(run, seen.turn);
  if (turn === undefined) {
    run.counters.late += 1;
    run.registry.nameEndedTurn(seen.cliSpanId, seen.turn);
    return;
  }
  sawIt(turn, seen.source);
  run.registry.nameCliSpan(seen.cliSpanId, turn);
  turn.cliStartedAt = seen.startedAt;
  turn.cliEndedAt = seen.at;
  if (seen.parent !== undefined) takeParent(run, turn, seen.parent);
  // The stream may be read long after; the wait for its word begins when there is nothing else to wait for.
  if (!run.options.expects.sdk || run.isSdkOver) turn.deadline ??= nowMs(run) + run.options.settleMs;
}

/** Who has started the process knows better; without him it is in its trace, below what it was told of. */
function takeParent({ options }: Run, turn: AgentNode, parent: TraceContext): void {
  const isKnown = options.expects.sdk || options.parent !== undefined || options.firstTurn !== undefined;
  if (!isKnown && turn.traceId === parent.traceId) turn.parentContext ??= parent;
}

export function onTurnResult(run: Run, seen: TurnResult): void {
  const turn = turnAt(run, seen.turn);
  if (turn === undefined || turn.result !== undefined) {
    run.counters.late += 1;
    return;
  }
  sawIt(turn, seen.source);
  turn.result = seen;
  if (turn.session === undefined && run.session !== undefined) turn.session = run.session;
  turn.sdkEndedAt = seen.at;
  turn.outcome = outcomeOfResult(seen, turn.wasInterrupted);
  turn.deadline = nowMs(run) + run.options.settleMs;
  turn.denials = seen.permissionDenials;
  if (turn.currentCall !== undefined) turn.currentCall.isSdkDone = true;
  const totals = seen.totals ?? cumulativeDelta(run, seen.cumulative);
  if (totals !== undefined) turn.totals = totals;
  if (seen.cumulative !== undefined) run.previousCumulative = seen.cumulative;
}

function cumulativeDelta(run: Run, cumulative: Totals | undefined): Totals | undefined {
  if (cumulative === undefined) return undefined;
  const previous = run.previousCumulative;
  if (previous === undefined) return run.options.isResumed ? undefined : cumulative;
  const usage = subtractUsage(cumulative.usage, previous.usage);
  if (cumulative.costUsd === undefined) return { usage };
  return { usage, costUsd: cumulative.costUsd - (previous.costUsd ?? 0) };
}

export function onInput(run: Run, seen: InputSeen): void {
  tellAgent(run, seen, seen.message);
}

export function onEvent(run: Run, seen: EventSeen): void {
  place(run, seen.agent, (parent) => {
    if (parent.kind !== 'agent') return;
    if (parent.isEnded) run.counters.late += 1;
    else if (seen.event.name === 'retry') parent.pendingRetries = appended(parent.pendingRetries, seen.event);
    else parent.events = appended(parent.events, seen.event);
  });
}

export function onCounters(run: Run, seen: CountersSeen): void {
  run.counted = run.counted === undefined ? seen.totals : addTotals(run.counted, seen.totals);
}

export function onQueryEnd(run: Run, seen: QueryEnded): void {
  const latest = run.registry.turns.at(-1);
  if (seen.by === 'interrupt') {
    if (latest !== undefined) latest.wasInterrupted = true;
    return;
  }
  if (seen.by === 'process-gone') run.isProcessGone = true;
  if (seen.by === 'abort') run.wasStopped = true;
  run.isSdkOver = true;
  for (const turn of run.registry.turns) {
    if (turn.currentCall !== undefined) turn.currentCall.isSdkDone = true;
    if (turn.result !== undefined) continue;
    turn.thrown ??= seen.error;
    // By telemetry alone, what has ended by then has ended as its last call says.
    if (run.options.expects.sdk || turn.cliEndedAt === undefined) turn.outcome ??= outcomeOfEnd(seen, turn);
    if (run.options.expects.sdk) turn.sdkEndedAt ??= seen.at;
  }
}
