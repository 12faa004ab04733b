import { readModelUsage } from './content.ts';
import { given } from '../../model/given.ts';
import { costOf } from '../../model/usage.ts';
import { fieldsOf, listIn, numberIn, stringIn, stringsIn } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

/** Exactly one per turn. `usage` covers the main loop alone; `modelUsage` and the cost are sums over the session. */
export function readResult(
  { message, id, at, turn }: Envelope,
  { observe: emit, wasPromptBlocked }: { readonly observe: Emit; readonly wasPromptBlocked: boolean },
): void {
  const cumulative = readModelUsage(message['modelUsage']);
  const totalCostUsd = costOf(numberIn(message, 'total_cost_usd'));
  emit({
    type: 'turn-result',
    id,
    source: 'sdk',
    at,
    turn,
    subtype: stringIn(message, 'subtype') ?? 'unknown',
    isError: message['is_error'] === true,
    permissionDenials: listIn(message, 'permission_denials').length,
    ...(wasPromptBlocked ? { wasPromptBlocked } : {}),
    ...given('terminalReason', stringIn(message, 'terminal_reason')),
    ...given('stopReason', stringIn(message, 'stop_reason')),
    ...given('apiErrorStatus', numberIn(message, 'api_error_status')),
    ...given('turnCount', numberIn(message, 'num_turns')),
    ...given('errorMessage', errorMessage(message)),
    ...given('totals', readModelUsage(message['model_usage_since_last_result'])),
    ...given(
      'cumulative',
      cumulative === undefined || totalCostUsd === undefined ? cumulative : { ...cumulative, costUsd: totalCostUsd },
    ),
  });
  if (fieldsOf(message['origin'])?.['kind'] === 'task-notification') {
    emit({ type: 'turn-start', id: `${id}:origin`, source: 'sdk', at, turn, trigger: 'task_notification' });
  } else if (message['local_command'] !== undefined) {
    emit({ type: 'turn-start', id: `${id}:command`, source: 'sdk', at, turn, trigger: 'command' });
  }
}

function errorMessage(message: Envelope['message']): string | undefined {
  if (message['is_error'] !== true) return undefined;
  return stringsIn(message, 'errors')?.join('; ') ?? stringIn(message, 'result');
}
