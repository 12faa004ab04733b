import { given } from '../../model/given.ts';
import type { CallRef } from '../../model/observation.ts';
import { firstText, readBlocks, readUsage } from '../sdk/content.ts';
import type { Emit } from '../sdk/envelope.ts';
import { type Fields, fieldsOf, numberIn, stringIn, stringOf } from '../sdk/guards.ts';
import type { Speaker } from './speaker.ts';
import type { TimedRow } from './timed-row.ts';

/** The model name that the CLI gives to words of its own. */
const SYNTHETIC = '<synthetic>';
const STRUCTURED_OUTPUT = 'StructuredOutput';

/** One row per content block; all blocks of a call share its ids and, once it is whole, its final usage. */
export function readAssistantRow(row: TimedRow, by: Speaker, emit: Emit): void {
  const answer = fieldsOf(row.fields['message']);
  if (answer === undefined) return;
  if (answer['model'] === SYNTHETIC) {
    readSynthetic(row, by, emit);
    return;
  }
  const blocks = readBlocks(answer['content']);
  const stopReason = stringOf(answer['stop_reason']);
  const wasCut = row.fields['isAbortedMidStream'] === true;
  by.isAsking = false;
  by.failure = undefined;
  if (stopReason !== undefined) by.stopReason = stopReason;
  for (const block of blocks) {
    if (block.type !== 'tool_use') continue;
    by.openTools.add(block.id);
    if (block.name === STRUCTURED_OUTPUT) by.structuredCall = block.id;
  }
  emit({
    type: 'answer',
    id: row.id,
    source: 'transcript',
    at: row.at,
    agent: by.ref,
    call: callOf(answer, row.fields),
    model: stringOf(answer['model']) ?? 'unknown',
    blocks,
    // Rows that were written while the answer streamed have the figures of its start, one output token: without a stop reason they say nothing.
    ...(stopReason === undefined ? {} : { ...given('usage', readUsage(answer['usage'])), stopReason }),
    ...(wasCut ? { wasCut } : {}),
  });
}

function callOf(answer: Fields, row: Fields): CallRef {
  return { ...given('messageId', stringOf(answer['id'])), ...given('requestId', stringOf(row['requestId'])) };
}

/** An API error that was given up on. A refusal is an answer, told already; a local command's output is no call at all. */
function readSynthetic({ fields, id, at }: TimedRow, by: Speaker, emit: Emit): void {
  if (fields['isApiErrorMessage'] !== true) return;
  const answer = fieldsOf(fields['message']);
  const status = numberIn(fields, 'apiErrorStatus');
  const message = firstText(answer?.['content']) ?? 'API error';
  const isRefusal = answer?.['stop_reason'] === 'refusal' || fields['refusedMessageId'] !== undefined;
  by.failure = { status, message, isRefusal };
  by.isAsking = false;
  if (isRefusal) return;
  const type = stringIn(fields, 'apiErrorType') ?? (status === undefined ? stringIn(fields, 'error') : String(status));
  emit({
    type: 'call-failed',
    id,
    source: 'transcript',
    at,
    agent: by.ref,
    call: given('requestId', stringIn(fields, 'requestId')),
    ...given('model', by.model),
    error: { type: type ?? 'api_error', message },
  });
}
