import { given } from '../../model/given.ts';
import type { EventSeen, StreamSeen } from '../../model/observation.ts';
import type { SpanEvent } from '../../model/span.ts';
import type { Emit } from '../sdk/envelope.ts';
import { type Fields, fieldsOf, numberIn, stringIn } from '../sdk/guards.ts';
import type { Speaker } from './speaker.ts';
import type { TimedRow } from './timed-row.ts';

type Reader = (row: TimedRow, by: Speaker, emit: Emit) => void;

const READERS: Readonly<Record<string, Reader>> = {
  api_error: readApiError,
  model_fallback: readFallback,
  model_refusal_fallback: (row, by, emit) => emit(eventOf(row, by, { name: 'model_refusal', facts: REFUSAL })),
  model_refusal_no_fallback: (row, by, emit) => emit(eventOf(row, by, { name: 'model_refusal', facts: REFUSAL })),
};

/** Subtypes that are not in the table are none of a trace's business. */
export function readSystemRow(row: TimedRow, by: Speaker, emit: Emit): void {
  const subtype = stringIn(row.fields, 'subtype');
  if (subtype !== undefined && Object.hasOwn(READERS, subtype)) READERS[subtype]?.(row, by, emit);
}

type Facts = readonly (readonly [attribute: string, field: string])[];

const REFUSAL: Facts = [
  ['original_model', 'originalModel'],
  ['category', 'apiRefusalCategory'],
];
const FALLBACK: Facts = [
  ['trigger', 'trigger'],
  ['original_model', 'originalModel'],
  ['fallback_model', 'fallbackModel'],
];
const COMPACTION: Facts = [
  ['trigger', 'trigger'],
  ['pre_tokens', 'preTokens'],
  ['post_tokens', 'postTokens'],
  ['duration_ms', 'durationMs'],
];
const RETRY: Facts = [
  ['attempt', 'retryAttempt'],
  ['max_retries', 'maxRetries'],
  ['retry_delay_ms', 'retryInMs'],
];

function factsIn(fields: Fields | undefined, facts: Facts): SpanEvent['attributes'] {
  return Object.fromEntries(
    facts.flatMap(([attribute, field]) => {
      const value = stringIn(fields, field) ?? numberIn(fields, field);
      return value === undefined ? [] : [[attribute, value]];
    }),
  );
}

function eventOf(
  { fields, id, at }: TimedRow,
  by: Speaker,
  { name, facts }: { readonly name: SpanEvent['name']; readonly facts: Facts },
): EventSeen {
  return {
    type: 'event',
    id,
    source: 'transcript',
    at,
    agent: by.ref,
    event: { name, at, attributes: factsIn(fields, facts) },
  };
}

/** An attempt that failed and is tried again. */
function readApiError(row: TimedRow, by: Speaker, emit: Emit): void {
  if (numberIn(row.fields, 'retryInMs') === undefined) return;
  const seen = eventOf(row, by, { name: 'retry', facts: RETRY });
  const error = fieldsOf(row.fields['error']);
  const attributes = {
    ...seen.event.attributes,
    ...given('status_code', numberIn(error, 'status')),
    ...given('error', stringIn(fieldsOf(error?.['connection']), 'code')),
  };
  emit({ ...seen, event: { ...seen.event, attributes } });
}

/** The first model's call has failed for good, without an id in any source; the second model is asked the same again. */
function readFallback(row: TimedRow, by: Speaker, emit: Emit): void {
  const { fields, id, at } = row;
  const trigger = stringIn(fields, 'trigger') ?? 'model_fallback';
  emit({
    type: 'call-failed',
    id: `${id}:failed`,
    source: 'transcript',
    at,
    agent: by.ref,
    call: {},
    error: { type: trigger, message: stringIn(fields, 'content') ?? trigger },
    isUnmeasured: true,
    ...given('model', stringIn(fields, 'originalModel')),
  });
  emit(eventOf(row, by, { name: 'model_fallback', facts: FALLBACK }));
  // The row may follow that of the second model's request.
  const requestedAt = by.latestRequestAt;
  by.isAsking = false;
  if (requestedAt === undefined || requestedAt <= at) return;
  emit(requestOf({ fields, id: `${id}:request`, at: requestedAt }, by));
}

/** A request was sent: the beginning of a call, or an attempt more. */
export function readRequest(row: TimedRow, by: Speaker, emit: Emit): void {
  by.latestRequestAt = row.at;
  by.model = stringIn(fieldsOf(row.fields['params']), 'model') ?? by.model;
  // Of a call that is tried again, the first request is its beginning.
  if (!by.isAsking) emit(requestOf(row, by));
}

function requestOf({ id, at }: TimedRow, by: Speaker): StreamSeen {
  by.isAsking = true;
  return {
    type: 'stream',
    id,
    source: 'transcript',
    at,
    agent: by.ref,
    call: { messageId: `requested:${id}` },
    phase: 'requested',
  };
}

export function compactionOf(row: TimedRow): SpanEvent {
  return {
    name: 'compaction',
    at: row.at,
    attributes: factsIn(fieldsOf(row.fields['compactMetadata']), COMPACTION),
  };
}
