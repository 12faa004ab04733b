import type { StreamSeen } from '../../model/observation.ts';
import { readUsage } from './content.ts';
import { type Fields, fieldsOf, numberOf, stringOf } from './guards.ts';
import type { Emit, Envelope } from './envelope.ts';

/** Whether a partial message is the start, the delta or the end of an answer, not of one of its blocks. */
export function isLandmark(message: Fields): boolean {
  const landmark = fieldsOf(message['event'])?.['type'];
  return landmark === 'message_start' || landmark === 'message_delta' || landmark === 'message_stop';
}

/** A landmark of an answer. The final usage and stop reason of a call stand in its `message_delta`. */
export function readStreamEvent({ message, id, at, agent }: Envelope, emit: Emit): void {
  const event = fieldsOf(message['event']);
  const answer = fieldsOf(event?.['message']);
  const abandoned = fieldsOf(message['abandoned_blocks']);
  const messageId =
    stringOf(answer?.['id']) ?? stringOf(message['api_message_id']) ?? stringOf(abandoned?.['api_message_id']);
  if (messageId === undefined) return;
  const seen: Draft = { type: 'stream', id, source: 'partials', at, agent, call: { messageId }, phase: 'start' };
  switch (event?.['type']) {
    case 'message_start':
      readStart(seen, { message, answer });
      break;
    case 'message_stop':
      seen.phase = abandoned === undefined ? 'end' : 'abandoned';
      break;
    default: {
      const stopReason = stringOf(fieldsOf(event?.['delta'])?.['stop_reason']);
      // The CLI closes an aborted answer with a made-up delta: without a stop reason its figures are not final.
      if (stopReason === undefined) return;
      seen.phase = 'delta';
      seen.stopReason = stopReason;
      addUsage(seen, event?.['usage']);
    }
  }
  emit(seen);
}

type Draft = { -readonly [K in keyof StreamSeen]: StreamSeen[K] };

function readStart(
  seen: Draft,
  { message, answer }: { readonly message: Fields; readonly answer: Fields | undefined },
): void {
  // Only here the cache writes are split by lifetime.
  addUsage(seen, answer?.['usage']);
  const model = stringOf(answer?.['model']);
  if (model !== undefined) seen.model = model;
  const ttftMs = numberOf(message['ttft_ms']);
  if (ttftMs !== undefined) seen.ttftMs = ttftMs;
}

function addUsage(seen: Draft, value: unknown): void {
  const usage = readUsage(value);
  if (usage !== undefined) seen.usage = usage;
}
