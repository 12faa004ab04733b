import { decodeOtlp } from '../../../core/src/otlp/decode/decode-otlp.ts';
import type { TraceContext } from '../../../core/src/model/ids.ts';
import { parseTraceparent } from '../../../core/src/model/ids.ts';
import type { QueryEnded } from '../../../core/src/model/observation.ts';
import type { WireExchange } from '../../../core/src/loopback/wire/wire-exchange.ts';
import type { OtlpRequest, OtlpSignal } from '../../../core/src/otlp/records.ts';
import { asString } from '../json.ts';
import type { DriverEvent, RecordedMessage, Recording, TelemetryBatch } from '../recordings/recording.ts';

/** `sdk` hides what only partial messages show, `sdk+cli` is the recording as it is. */
export type SourceSet = 'sdk' | 'sdk+partials' | 'cli' | 'sdk+cli';

/** What reaches us has an order within each of these, and none between them. */
export type StreamName = 'sdk' | 'wire' | OtlpSignal;

/** One thing that reached us, at milliseconds on the recording's clock. */
export interface Step {
  readonly atMs: number;
  readonly stream: StreamName;
  readonly what:
    | { readonly type: 'prompt'; readonly text: string }
    | { readonly type: 'prompt-taken'; readonly message: unknown }
    | { readonly type: 'message'; readonly message: unknown }
    | { readonly type: 'query-end'; readonly by: QueryEnded['by'] }
    | { readonly type: 'telemetry'; readonly request: OtlpRequest }
    | { readonly type: 'exchange'; readonly exchange: WireExchange };
}

/** Everything that one `query()`, or one process of the CLI, let us see. */
export interface QueryScript {
  readonly epochMs: number;
  readonly sources: SourceSet;
  readonly parent?: TraceContext & { readonly isRemote: true };
  /** In the order of their times. */
  readonly steps: readonly Step[];
}

/** A recording as its sources would have shown it, query by query. */
export function scriptsOf(recording: Recording, sources: SourceSet): readonly QueryScript[] {
  const parent = parentOf(recording);
  return queryWindows(recording).map(({ label, ...window }) => {
    const steps = [
      ...(sources === 'cli' ? [] : streamSteps(recording, { label, sources })),
      ...(sources === 'sdk' || sources === 'sdk+partials' ? [] : telemetrySteps(recording, window)),
    ];
    return {
      epochMs: recording.meta.epochMs,
      sources,
      ...(parent === undefined ? {} : { parent: { ...parent, isRemote: true } }),
      steps: steps.toSorted((a, b) => a.atMs - b.atMs),
    };
  });
}

/** From when to when each query was under way, by its label. */
export function queryWindows(
  recording: Recording,
): readonly { readonly label: string | undefined; readonly from: number; readonly to: number }[] {
  return labelsOf(recording).map((label, index, labels) => ({
    label,
    from: endOf(recording, labels[index - 1]),
    to: index + 1 === labels.length ? Infinity : endOf(recording, label),
  }));
}

/** An interactive session, which alone has no messages, takes no notice of a `TRACEPARENT`. */
function parentOf(recording: Recording): TraceContext | undefined {
  return recording.messages.length === 0 ? undefined : parseTraceparent(recording.meta.traceparent);
}

type Label = string | undefined;

function labelsOf(recording: Recording): readonly Label[] {
  const labels = new Set(recording.messages.map((message) => message.query));
  return labels.size === 0 ? [undefined] : [...labels];
}

/** The batches of a process arrive before its query ends. */
function endOf(recording: Recording, label: Label): number {
  const end = recording.driverEvents.find((event) => ENDS[event.name] !== undefined && isOf(event, label));
  return label === undefined || end === undefined ? -Infinity : end.atMs;
}

const isOf = (event: DriverEvent, label: Label): boolean => asString(event.fields['label']) === label;

const ENDS: Readonly<Record<string, QueryEnded['by']>> = { 'iterator done': 'done', 'iterator threw': 'error' };
const LETTING_GO: Readonly<Record<string, QueryEnded['by']>> = {
  ...ENDS,
  'interrupt()': 'interrupt',
  'abort()': 'abort',
  'consumer break': 'return',
};

function streamSteps(recording: Recording, query: { readonly label: Label; readonly sources: SourceSet }): Step[] {
  const messages = recording.messages.filter((message) => message.query === query.label);
  const steps = messages
    .filter(({ message }) => query.sources !== 'sdk' || !isPartial(message))
    .map(({ atMs, message }): Step => ({ atMs, stream: 'sdk', what: { type: 'message', message } }));
  const driven = recording.driverEvents.filter((event) => isOf(event, query.label)).flatMap(driverSteps);
  const isIterable = recording.driverEvents.some(({ fields }) => fields['prompt'] === ITERABLE);
  return [...driven, ...steps, ...(isIterable ? promptSteps(messages) : [])];
}

/** What an iterable yielded was not recorded; but every turn had a prompt, unless its result names another origin. */
function promptSteps(messages: readonly RecordedMessage[]): Step[] {
  const message = { type: 'user', message: { role: 'user', content: 'not recorded' } };
  const results = messages.filter(({ message: { type } }) => type === 'result');
  return results
    .map((result, turn) => ({ result, takenAtMs: results[turn - 1]?.atMs ?? 0 }))
    .filter(({ result }) => result.message['origin'] === undefined)
    .map(({ takenAtMs }) => ({ atMs: takenAtMs, stream: 'sdk', what: { type: 'prompt-taken', message } }));
}

const ITERABLE = '(async iterable)';

function driverSteps({ atMs, name, fields }: DriverEvent): Step[] {
  const prompt = asString(fields['prompt']);
  if (name === 'query()' && prompt !== undefined && prompt !== ITERABLE) {
    return [{ atMs, stream: 'sdk', what: { type: 'prompt', text: prompt } }];
  }
  const by = LETTING_GO[name];
  return by === undefined ? [] : [{ atMs, stream: 'sdk', what: { type: 'query-end', by } }];
}

function isPartial(message: Readonly<Record<string, unknown>>): boolean {
  return message['type'] === 'stream_event' || message['status'] === 'requesting';
}

function telemetrySteps({ telemetry }: Recording, window: { readonly from: number; readonly to: number }): Step[] {
  const steps = (signal: OtlpSignal, batches: readonly TelemetryBatch[]): Step[] =>
    batches
      .filter(({ atMs, payload }) => payload !== undefined && atMs > window.from && atMs <= window.to)
      .map(({ atMs, payload }) => {
        const request = decodeOtlp(signal, 'json', Buffer.from(JSON.stringify(payload)));
        return { atMs, stream: signal, what: { type: 'telemetry', request } };
      });
  return [
    ...steps('traces', telemetry.traces),
    ...steps('logs', telemetry.logs),
    ...steps('metrics', telemetry.metrics),
  ];
}
