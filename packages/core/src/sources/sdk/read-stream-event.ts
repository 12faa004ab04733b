import type { AgentRef, StreamSeen } from '../../model/observation.ts';
import { readUsage } from './content.ts';
import { given } from '../../model/given.ts';
import { type Fields, fieldsOf, numberIn, stringIn } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

/**
 * Partial messages: only landmarks count, deltas of content are passed over at once.
 * The final usage and stop reason of a call stand in its `message_delta`.
 */
export function readStreamEvent(message: Fields, envelopeOf: (id: string) => Envelope, emit: Emit): void {
  const event = fieldsOf(message['event']);
  const landmark = event?.['type'];
  if (landmark !== 'message_start' && landmark !== 'message_delta' && landmark !== 'message_stop') return;
  const answer = fieldsOf(event?.['message']);
  const abandoned = fieldsOf(message['abandoned_blocks']);
  const messageId =
    stringIn(answer, 'id') ?? stringIn(message, 'api_message_id') ?? stringIn(abandoned, 'api_message_id');
  if (messageId === undefined) return;
  const { at, agent } = envelopeOf('');
  const seen = {
    type: 'stream',
    id: `${messageId}:${landmark}`,
    source: 'partials',
    at,
    agent,
    call: { messageId },
  } as const;
  if (landmark === 'message_start') {
    // Only here the cache writes are split by lifetime.
    const usage = given('usage', readUsage(answer?.['usage']));
    emit({
      ...seen,
      phase: 'start',
      ...usage,
      ...given('model', stringIn(answer, 'model')),
      ...given('ttftMs', numberIn(message, 'ttft_ms')),
    });
  } else if (landmark === 'message_stop') {
    emit({ ...seen, phase: abandoned === undefined ? 'end' : 'abandoned' });
  } else emitDelta(event, seen, emit);
}

type Seen = Omit<StreamSeen, 'phase'> & { readonly agent: AgentRef };

function emitDelta(event: Fields | undefined, seen: Seen, emit: Emit): void {
  const stopReason = stringIn(fieldsOf(event?.['delta']), 'stop_reason');
  // The CLI closes an aborted answer with a made-up delta: without a stop reason its figures are not final.
  if (stopReason === undefined) return;
  emit({ ...seen, phase: 'delta', stopReason, ...given('usage', readUsage(event?.['usage'])) });
}
