import { given } from '../../model/given.ts';
import type { CountersSeen, QueryEnded, TurnResult } from '../../model/observation.ts';
import type { Totals } from '../../model/usage.ts';
import { isUnfinished, type Speaker } from './speaker.ts';

export interface TurnFacts {
  readonly totals: Totals | undefined;
  /** A hook did not let the prompt through. */
  readonly isBlocked: boolean;
  readonly isCommand: boolean;
  readonly reachedMaxTurns: boolean;
  readonly isOverBudget: boolean;
  /** The process wrote its last word after the turn; a killed one does not. */
  readonly hasExited: boolean;
}

/** A session file has no results: how a turn ended is read off its last rows. */
export function endOfTurn(main: Speaker, facts: TurnFacts): (TurnResult | CountersSeen | QueryEnded)[] {
  const limit = limitOf(main, facts);
  const isOver = limit !== undefined || facts.isBlocked || main.wasInterrupted || main.failure !== undefined;
  const isSilent = main.stopReason === undefined && !facts.isCommand;
  if (!isOver && (isSilent || isUnfinished(main))) return cutOff(main, facts);
  const { failure, lastAt: at } = main;
  const result: TurnResult = {
    type: 'turn-result',
    id: `end:${main.turn}:${at}`,
    source: 'transcript',
    at,
    turn: main.turn,
    subtype: limit ?? 'success',
    isError: failure !== undefined || limit !== undefined,
    permissionDenials: main.denials,
    ...given('terminalReason', terminalReasonOf(main)),
    ...given('stopReason', failure?.isRefusal === true ? 'refusal' : main.stopReason),
    ...given('apiErrorStatus', failure?.status),
    ...given('errorMessage', failure?.message),
    ...(facts.isBlocked ? { wasPromptBlocked: true } : {}),
    ...given('totals', facts.totals),
  };
  return [result];
}

function terminalReasonOf({ wasInterrupted, failure }: Speaker): string | undefined {
  if (wasInterrupted) return 'aborted_streaming';
  return failure === undefined ? undefined : 'api_error';
}

function limitOf(main: Speaker, { reachedMaxTurns, isOverBudget }: TurnFacts): string | undefined {
  if (reachedMaxTurns) return 'error_max_turns';
  return isOverBudget && isUnfinished(main) ? 'error_max_budget_usd' : undefined;
}

/** More was to come: the process was stopped, or killed. */
function cutOff({ lastAt: at, turn }: Speaker, { totals, hasExited }: TurnFacts): (CountersSeen | QueryEnded)[] {
  const by = hasExited ? 'abort' : 'process-gone';
  const end: QueryEnded = { type: 'query-end', id: `end:${turn}:${at}`, source: 'transcript', at, by };
  if (totals === undefined) return [end];
  return [{ type: 'counters', id: `totals:${turn}:${at}`, source: 'transcript', at, totals }, end];
}
