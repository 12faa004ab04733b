import { describe, expect, test } from 'vitest';
import type { Observation } from '../../../core/src/model/observation.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { canonical } from './canonical.ts';
import { play } from './replay.ts';
import { type Random, seeded } from './prng.ts';
import { splitExports } from './split-exports.ts';
import { type QueryScript, type Step, type StreamName, scriptsOf } from './script.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

/** Every recording, with all its sources and by telemetry alone. */
const scripts = listRecordings().flatMap((name) =>
  (['sdk+cli', 'cli'] as const).flatMap((sources) =>
    scriptsOf(openRecording(name), sources).map((script, query) => ({
      title: `${name}, ${sources}, query ${query}`,
      script,
    })),
  ),
);

/** A random order in which every stream keeps its own. */
function interleaved(steps: readonly Step[], random: Random): Step[] {
  const streams = new Map<StreamName, Step[]>();
  for (const step of steps) streams.set(step.stream, [...(streams.get(step.stream) ?? []), step]);
  const rest = [...streams.values()];
  const merged: Step[] = [];
  while (rest.length > 0) {
    const stream = random.pick(rest);
    // Runs of different lengths: single steps apart, and whole stretches of one stream alone.
    for (let run = 1 + random.below(random.pick([1, 4, 40])); run > 0 && stream.length > 0; run -= 1)
      merged.push(...stream.splice(0, 1));
    if (stream.length === 0) rest.splice(rest.indexOf(stream), 1);
  }
  return merged;
}

function spansOf(script: QueryScript, steps: readonly Step[] = script.steps): readonly string[] {
  return canonical(play({ ...script, steps }, { clock: 'still' }).spans);
}

/** Delivers everything twice, the second time at once or some time later. */
function twice(random: Random): (observe: (observation: Observation) => void) => (observation: Observation) => void {
  return (observe) => {
    const later: Observation[] = [];
    return (observation) => {
      observe(observation);
      if (random.next() < 0.3) observe(observation);
      else later.push(observation);
      while (later.length > 0 && random.next() < 0.5)
        for (const again of later.splice(random.below(later.length), 1)) observe(again);
    };
  };
}

describe("no order of arrival that keeps each source's own changes a span", () => {
  test.each(scripts)('$title', ({ script }) => {
    const expected = spansOf(script);
    const stream = script.steps.filter((step) => step.stream === 'sdk');
    const telemetry = script.steps.filter((step) => step.stream !== 'sdk');
    expect(spansOf(script, [...stream, ...telemetry]), 'stream first').toEqual(expected);
    expect(spansOf(script, [...telemetry, ...stream]), 'telemetry first').toEqual(expected);
    const steps = splitExports(script.steps);
    for (const seed of SEEDS)
      expect(spansOf(script, interleaved(steps, seeded(seed))), `seed ${seed}`).toEqual(expected);
  });
});

describe('nothing delivered twice changes a span', () => {
  test.each(scripts)('$title', ({ script }) => {
    const expected = spansOf(script);
    for (const seed of SEEDS) {
      const again = play(script, { clock: 'still', relay: twice(seeded(seed)) });
      expect(canonical(again.spans), `seed ${seed}`).toEqual(expected);
    }
  });

  test.each(scripts)('$title: exports that the CLI sends again', ({ script }) => {
    const expected = spansOf(script);
    const resent = script.steps.flatMap((step) => (step.stream === 'sdk' ? [step] : [step, step]));
    expect(spansOf(script, resent)).toEqual(expected);
    const atTheEnd = [...script.steps, ...script.steps.filter((step) => step.stream !== 'sdk')];
    expect(spansOf(script, atTheEnd)).toEqual(expected);
  });
});
