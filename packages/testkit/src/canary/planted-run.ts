import type { MetricPoint } from '../../../core/src/model/sink.ts';
import type { OtlpMetric } from '../../../core/src/otlp/records.ts';
import { metricPoints } from '../../../core/src/sources/cli-telemetry/counters.ts';
import { asObject } from '../json.ts';
import type { Recording, TelemetryBatch } from '../recordings/recording.ts';
import { play, type Told } from '../replay/replay.ts';
import { type QueryScript, type SourceSet, type Step, scriptsOf } from '../replay/script.ts';
import { planted } from './canaries.ts';
import { plantMessage, plantPrompt } from './plant-message.ts';
import { plantTelemetry } from './plant-telemetry.ts';

/** What reaches the sinks of one query. */
export interface PlantedRun {
  readonly told: readonly Told[];
  readonly metrics: readonly MetricPoint[];
}

/** Plays a recording with a canary in every content of its messages, prompts and telemetry. */
export function plantedRuns(recording: Recording, sources: SourceSet): readonly PlantedRun[] {
  return scriptsOf(plantRecording(recording), sources)
    .map(plantPrompts)
    .map((script) => ({ told: play(script).told, metrics: script.steps.flatMap(metricsOf) }));
}

/** A copy of a recording with a canary in every content that its sources show. */
export function plantRecording(recording: Recording): Recording {
  const plantBatch = (batch: TelemetryBatch): TelemetryBatch =>
    batch.payload === undefined ? batch : { ...batch, payload: plantTelemetry(batch.payload) };
  const { traces, logs, metrics } = recording.telemetry;
  return {
    ...recording,
    messages: recording.messages.map((entry) => ({ ...entry, message: plantMessage(entry.message) })),
    telemetry: { traces: traces.map(plantBatch), logs: logs.map(plantBatch), metrics: metrics.map(plantBatch) },
  };
}

/** Prompts come from the host, not from the recorded stream. */
function plantPrompts(script: QueryScript): QueryScript {
  return { ...script, steps: script.steps.map(plantStep) };
}

function plantStep(step: Step): Step {
  const { what } = step;
  if (what.type === 'prompt') return { ...step, what: { ...what, text: planted(what.text, 'prompt') } };
  if (what.type === 'prompt-taken') return { ...step, what: { ...what, message: plantPrompt(asObject(what.message)) } };
  return step;
}

function metricsOf({ what }: Step): readonly MetricPoint[] {
  if (what.type !== 'telemetry' || what.request.signal !== 'metrics') return [];
  return metricPoints(what.request.groups.flatMap((group): readonly OtlpMetric[] => group.records));
}
