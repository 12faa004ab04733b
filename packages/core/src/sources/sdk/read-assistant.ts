import type { AnswerSeen, CallRef } from '../../model/observation.ts';
import { firstText, readBlocks, readUsage } from './content.ts';
import { given } from '../../model/given.ts';
import { type Fields, fieldsOf, numberIn, stringIn, stringOf } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

/** The model name that the CLI gives to words of its own. */
const SYNTHETIC = '<synthetic>';

/** One message per content block; all blocks of a call share its ids. */
export function readAssistant(envelope: Envelope, emit: Emit): void {
  const answer = fieldsOf(envelope.message['message']);
  if (answer === undefined) return;
  if (answer['model'] === SYNTHETIC) {
    readSynthetic(envelope, emit);
    return;
  }
  const seen: AnswerSeen = {
    type: 'answer',
    id: envelope.id,
    source: 'sdk',
    at: envelope.at,
    agent: envelope.agent,
    call: callRef(stringOf(answer['id']), stringOf(envelope.message['request_id'])),
    model: stringOf(answer['model']) ?? 'unknown',
    blocks: readBlocks(answer['content']),
  };
  const stopReason = stringOf(answer['stop_reason']);
  const wasCut = envelope.message['aborted'] === true;
  emit(
    stopReason === undefined && !wasCut ? seen : { ...seen, ...ending(answer, stopReason), ...(wasCut && { wasCut }) },
  );
}

/** While it streams, `usage` is that of its first event (one output token) and says nothing; with a stop reason it is final. */
function ending(answer: Fields, stopReason: string | undefined): Pick<AnswerSeen, 'usage' | 'stopReason'> {
  return stopReason === undefined ? {} : { ...given('usage', readUsage(answer['usage'])), stopReason };
}

function callRef(messageId: string | undefined, requestId: string | undefined): CallRef {
  if (messageId !== undefined && requestId !== undefined) return { messageId, requestId };
  return { ...given('messageId', messageId), ...given('requestId', requestId) };
}

/** An API error that was given up on. A refusal is an answer, told already; a local command's output is no call at all. */
function readSynthetic({ message, id, at, agent }: Envelope, emit: Emit): void {
  const answer = fieldsOf(message['message']);
  const isError = message['is_api_error_message'] === true || typeof message['error'] === 'string';
  if (!isError || answer?.['stop_reason'] === 'refusal' || message['refused_message_id'] !== undefined) return;
  const status = numberIn(message, 'api_error_status');
  const type =
    stringIn(message, 'api_error_type') ?? (status === undefined ? stringIn(message, 'error') : String(status));
  emit({
    type: 'call-failed',
    id,
    source: 'sdk',
    at,
    agent,
    call: given('requestId', stringIn(message, 'request_id')),
    error: { type: type ?? 'api_error', message: firstText(answer?.['content']) ?? 'API error' },
  });
}
