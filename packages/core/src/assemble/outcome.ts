import type { QueryEnded, TurnResult } from '../model/observation.ts';
import type { Outcome } from '../model/span.ts';
import type { AgentNode } from './nodes.ts';

const BY_SUBTYPE: Readonly<Record<string, Outcome>> = {
  error_max_turns: 'max_turns',
  error_max_budget_usd: 'max_budget',
};

/** How the SDK's `result` says that the turn ended. `is_error` counts, not the subtype: API errors arrive as `success`. */
export function outcomeOfResult(result: TurnResult, wasInterrupted: boolean): Outcome {
  if (result.wasPromptBlocked === true) return 'permission_denied';
  const bySubtype = BY_SUBTYPE[result.subtype];
  if (bySubtype !== undefined) return bySubtype;
  if (result.terminalReason?.startsWith('aborted') === true) {
    if (wasInterrupted) return 'interrupted';
    return result.permissionDenials > 0 ? 'permission_denied' : 'interrupted';
  }
  if (!result.isError) return 'completed';
  if (result.stopReason === 'refusal') return 'refused';
  if (result.apiErrorStatus !== undefined || result.terminalReason === 'api_error') return 'api_error';
  return 'crashed';
}

const BY_END: Readonly<Record<Exclude<QueryEnded['by'], 'interrupt'>, Outcome>> = {
  done: 'crashed',
  error: 'crashed',
  return: 'abandoned',
  throw: 'abandoned',
  close: 'aborted',
  abort: 'aborted',
  'process-gone': 'crashed',
};

/** How a turn ended that has no result. */
export function outcomeOfEnd({ by }: QueryEnded, { wasInterrupted }: AgentNode): Outcome {
  if (by === 'interrupt' || (by === 'abort' && wasInterrupted)) return 'interrupted';
  return BY_END[by];
}

/**
 * The CLI's telemetry has no word for the outcome of a turn: its last call tells what can be known. One that is stopped ends the turn
 * that it is in as any other, but for the last word.
 */
export function outcomeOfCli(turn: AgentNode, wasStopped: boolean): Outcome {
  if (turn.lastOutcome !== undefined) return turn.lastOutcome;
  if (turn.wasInterrupted) return 'interrupted';
  const isLocal = turn.trigger === 'command' && turn.lastCallEndedAt === undefined;
  return !wasStopped || isLocal ? 'completed' : 'aborted';
}
