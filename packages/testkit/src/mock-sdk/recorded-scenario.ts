import type { Signal } from '../collector/otlp-codec.ts';
import { asString } from '../json.ts';
import type { DriverEvent, RecordedMessage, Recording, TelemetryBatch } from '../recordings/recording.ts';
import type { HostAction, Scenario, ScenarioStep } from './scenario.ts';

const SIGNALS = ['traces', 'logs', 'metrics'] as const;
const ACTIONS: Readonly<Record<string, HostAction>> = {
  'interrupt()': 'interrupt',
  'abort()': 'abort',
  'consumer break': 'leave',
};
const STARTS: ReadonlySet<string> = new Set(['query()', 'startup()', 'prewarm()']);
const ENDS: ReadonlySet<string> = new Set(['iterator done', 'iterator threw']);
/** A prompt comes this long before the first message. */
const EARLIER_MS = 50;
const ITERABLE = '(async iterable)';
/** How the real SDK words what an error result makes of the end; the mock words it itself. */
const ERROR_RESULT = /^Claude Code returned an error result: /;

/** What one process of a recording did, between its start and the next one's. */
interface Process {
  readonly label: string | undefined;
  /** Whether it was started before it had a prompt. */
  readonly isWarm: boolean;
  readonly startMs: number;
  /** No batch after this is its own. */
  readonly untilMs: number;
}

/** The processes of a recording, each as a scenario, in the order of their start. */
export function recordedScenarios(recording: Recording): readonly Scenario[] {
  return processesOf(recording).map((process) => {
    const steps = [
      ...messageSteps(recording, process),
      ...promptSteps(recording, process),
      ...driverSteps(recording, process),
      ...SIGNALS.flatMap((signal) => telemetrySteps(recording.telemetry[signal], signal, process)),
    ];
    return {
      epochMs: recording.meta.epochMs + process.startMs,
      steps: steps.map((step) => ({ ...step, atMs: step.atMs - process.startMs })).sort((a, b) => a.atMs - b.atMs),
    };
  });
}

function processesOf({ messages, driverEvents }: Recording): readonly Process[] {
  const labels = [...new Set(messages.map((message) => message.query))];
  const starts = driverEvents.filter(({ name }) => STARTS.has(name));
  return labels.map((label, index) => ({
    label,
    isWarm: starts[index]?.name !== 'query()',
    startMs: starts[index]?.atMs ?? 0,
    untilMs: starts[index + 1]?.atMs ?? Number.POSITIVE_INFINITY,
  }));
}

const labelOf = ({ fields }: DriverEvent): string | undefined => asString(fields['label']);

function messageSteps({ messages }: Recording, { label }: Process): ScenarioStep[] {
  return messages
    .filter(({ query }) => query === label)
    .map(({ atMs, message }) => ({ type: 'message', atMs, message }));
}

/** A turn that a prompt of a stream began did not begin before it, nor the first turn of a child that was started in advance. */
function promptSteps({ messages, driverEvents }: Recording, { label, isWarm }: Process): ScenarioStep[] {
  const own = messages.filter(({ query }) => query === label);
  if (isWarm) return own.slice(0, 1).map(({ atMs }) => ({ type: 'await', atMs: atMs - EARLIER_MS, action: 'prompt' }));
  if (!driverEvents.some(({ fields }) => fields['prompt'] === ITERABLE)) return [];
  const isResult = ({ message }: RecordedMessage): boolean => message['type'] === 'result';
  const results = own.filter((message) => isResult(message) && message.message['origin'] === undefined);
  return results.map((result) => {
    const previous = own.slice(0, own.indexOf(result)).findLast(isResult);
    return { type: 'await', atMs: previous?.atMs ?? 0, action: 'prompt' };
  });
}

function driverSteps({ driverEvents }: Recording, { label }: Process): ScenarioStep[] {
  return driverEvents
    .filter((event) => labelOf(event) === label)
    .flatMap((event): ScenarioStep[] => {
      const { atMs, name, fields } = event;
      const action = ACTIONS[name];
      if (action !== undefined) return [{ type: 'await', atMs, action }];
      if (!ENDS.has(name)) return [];
      const error = asString(fields['message']);
      const isOwnWords = error === undefined || ERROR_RESULT.test(error);
      return [{ type: 'end', atMs, ...(isOwnWords ? {} : { error }) }];
    });
}

function telemetrySteps(
  batches: readonly TelemetryBatch[],
  signal: Signal,
  { startMs, untilMs }: Process,
): ScenarioStep[] {
  return batches
    .filter(({ atMs, payload }) => payload !== undefined && atMs >= startMs && atMs < untilMs)
    .map(({ atMs, payload = {} }) => ({ type: 'telemetry', atMs, signal, payload }));
}
