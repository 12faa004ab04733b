import type { JsonObject } from '../json.ts';
import { type Answer, type Block, type BlockDelta, DEFAULT_USAGE, stopReasonOf, type WireUsage } from './reply.ts';

/** One server-sent event and the pause before it. */
export interface StreamEvent {
  readonly pauseMs: number;
  readonly event: string;
  readonly data: JsonObject;
}

/** Who answers: the ids and the model of one answer. */
export interface AnswerIdentity {
  readonly messageId: string;
  readonly model: string;
}

/** The figures that `message_start` shows: the final ones with one output token. */
export function startUsageOf(answer: Answer): WireUsage & { readonly service_tier: string } {
  const { output_tokens_details: _, ...usage } = answer.usage ?? DEFAULT_USAGE;
  const written = usage.cache_creation_input_tokens ?? 0;
  const cache_creation = usage.cache_creation ?? { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 };
  return { ...usage, cache_creation, output_tokens: 1, service_tier: 'standard' };
}

/** All events of an answer up to where it ends, in order. */
export function* streamEvents(answer: Answer, identity: AnswerIdentity): Generator<StreamEvent> {
  const { ending } = answer;
  const endsAt = ending.kind === 'complete' ? undefined : ending.at;
  const endsBeforeAll = endsAt === 'start' && ending.kind !== 'error';
  if (endsBeforeAll) return;
  yield event('message_start', { message: { ...emptyMessage(identity), usage: startUsageOf(answer) } });
  yield event('ping', {});
  for (const [index, block] of (endsAt === 'start' ? [] : answer.blocks).entries()) {
    const isLast = index === answer.blocks.length - 1;
    yield* blockEvents(answer, { index, block, isCutShort: isLast && endsAt === 'insideBlock' });
  }
  if (ending.kind === 'error') {
    yield event('error', { error: { type: ending.errorType, message: ending.message } });
  }
  if (ending.kind === 'complete') yield* lastEvents(answer);
}

/** The same answer as one JSON body, for a request that does not stream. */
export function wholeMessage(answer: Answer, identity: AnswerIdentity): JsonObject {
  return {
    ...emptyMessage(identity),
    content: answer.blocks.map((block) => block.content),
    ...stopOf(answer),
    usage: { ...startUsageOf(answer), ...(answer.usage ?? DEFAULT_USAGE) },
  };
}

function emptyMessage({ messageId, model }: AnswerIdentity): JsonObject {
  return {
    id: messageId,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function stopOf(answer: Answer): JsonObject {
  const details = answer.stopDetails === undefined ? {} : { stop_details: answer.stopDetails };
  return { stop_reason: stopReasonOf(answer), stop_sequence: null, ...details };
}

function* lastEvents(answer: Answer): Generator<StreamEvent> {
  const { cache_creation: _, ...usage } = answer.usage ?? DEFAULT_USAGE;
  yield event('message_delta', { delta: stopOf(answer), usage });
  yield event('message_stop', {});
}

interface BlockPlace {
  readonly index: number;
  readonly block: Block;
  readonly isCutShort: boolean;
}

function* blockEvents(answer: Answer, { index, block, isCutShort }: BlockPlace): Generator<StreamEvent> {
  const { perBlockMs = 0, perDeltaMs = 0, deltaChars = 24 } = answer;
  yield event('content_block_start', { index, content_block: block.opening }, perBlockMs);
  for (const delta of block.deltas) {
    for (const piece of delta.fixed ? [delta.value] : pieces(delta.value, deltaChars)) {
      yield event('content_block_delta', { index, delta: deltaData(delta, piece) }, perDeltaMs);
    }
  }
  if (!isCutShort) yield event('content_block_stop', { index });
}

function deltaData(delta: BlockDelta, piece: string): JsonObject {
  return { type: delta.type, [delta.field]: piece };
}

/** Cuts between code points: only a caller who asks for it gets a split surrogate pair. */
function pieces(value: string, size: number): readonly string[] {
  const points = [...value];
  const count = Math.ceil(points.length / size);
  return Array.from({ length: count }, (_, nth) => points.slice(nth * size, (nth + 1) * size).join(''));
}

function event(name: string, data: JsonObject, pauseMs = 0): StreamEvent {
  return { pauseMs, event: name, data: { type: name, ...data } };
}
