import { describe, expect, test } from 'vitest';
import type { SpanId } from '../model/ids.ts';
import type { QueryEnded, TurnResult } from '../model/observation.ts';
import { agentNode } from './nodes.ts';
import { outcomeOfEnd, outcomeOfResult } from './outcome.ts';

const success: TurnResult = {
  type: 'turn-result',
  id: 'r',
  source: 'sdk',
  at: 1n,
  turn: 0,
  subtype: 'success',
  isError: false,
  permissionDenials: 0,
};

describe('how a turn ended', () => {
  test.each<[Partial<TurnResult>, boolean, string]>([
    [{}, false, 'completed'],
    [{}, true, 'completed'],
    [{ permissionDenials: 2 }, false, 'completed'],
    [{ subtype: 'error_max_turns', isError: true }, false, 'max_turns'],
    [{ subtype: 'error_max_budget_usd', isError: true }, false, 'max_budget'],
    [{ wasPromptBlocked: true }, false, 'permission_denied'],
    [{ isError: true, apiErrorStatus: 529 }, false, 'api_error'],
    [{ isError: true, terminalReason: 'api_error' }, false, 'api_error'],
    [{ isError: true, stopReason: 'refusal' }, false, 'refused'],
    [{ isError: true }, false, 'crashed'],
    [{ subtype: 'error_during_execution', isError: true, terminalReason: 'aborted_tools' }, true, 'interrupted'],
    [{ subtype: 'error_during_execution', isError: true, terminalReason: 'aborted_streaming' }, false, 'interrupted'],
    [{ isError: true, terminalReason: 'aborted_tools', permissionDenials: 1 }, false, 'permission_denied'],
    [{ isError: true, terminalReason: 'aborted_tools', permissionDenials: 1 }, true, 'interrupted'],
  ])('by a result with %o (interrupted: %s) is %s', (result, wasInterrupted, outcome) => {
    expect(outcomeOfResult({ ...success, ...result }, wasInterrupted)).toBe(outcome);
  });

  test.each<[QueryEnded['by'], string]>([
    ['done', 'crashed'],
    ['error', 'crashed'],
    ['process-gone', 'crashed'],
    ['return', 'abandoned'],
    ['throw', 'abandoned'],
    ['close', 'aborted'],
    ['abort', 'aborted'],
    ['interrupt', 'interrupted'],
  ])('without a result, by %s, is %s', (by, outcome) => {
    const turn = agentNode('1'.repeat(16) as SpanId, 'claude', 0);
    expect(outcomeOfEnd({ type: 'query-end', id: 'e', source: 'sdk', at: 1n, by }, turn)).toBe(outcome);
  });
});
