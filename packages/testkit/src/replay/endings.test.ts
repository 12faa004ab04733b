import { describe, expect, test } from 'vitest';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { brokenPromises } from './broken-promises.ts';
import { seeded } from './prng.ts';
import { play } from './replay.ts';
import { type QueryScript, scriptsOf } from './script.ts';

const SOURCE_SETS = ['sdk', 'sdk+partials', 'cli', 'sdk+cli'] as const;
const CUTS = 12;

const scripts = listRecordings().flatMap((name) =>
  SOURCE_SETS.flatMap((sources) =>
    scriptsOf(openRecording(name), sources)
      .filter(({ steps }) => steps.length > 0)
      .map((script, query) => ({ title: `${name}, ${sources}, query ${query}`, script })),
  ),
);

/** Nothing is heard any more from some moment on, as after `kill -9`. */
function cutAt(script: QueryScript, count: number): QueryScript {
  return { ...script, steps: script.steps.slice(0, count) };
}

describe('what sinks are promised', () => {
  test.each(scripts)('$title: as recorded', ({ script }) => {
    expect(brokenPromises(play(script))).toEqual([]);
  });

  test.each(scripts)('$title: with every timer stopped', ({ script }) => {
    expect(brokenPromises(play(script, { clock: 'still' }))).toEqual([]);
  });

  test.each(scripts)('$title: cut off anywhere', ({ script, title }) => {
    const random = seeded(title.length);
    for (let cut = 0; cut < CUTS; cut += 1) {
      const count = random.below(script.steps.length + 1);
      expect(brokenPromises(play(cutAt(script, count))), `after ${count} steps`).toEqual([]);
    }
  });

  test.each(scripts)('$title: telemetry that comes later than anybody waits', ({ script }) => {
    const late = script.steps.map((step) => (step.stream === 'sdk' ? step : { ...step, atMs: step.atMs + 3_000 }));
    const steps = late.toSorted((a, b) => a.atMs - b.atMs);
    const played = play({ ...script, steps });
    expect(brokenPromises(played)).toEqual([]);
    // What comes for spans that have ended is told as late at once, not kept until the end.
    expect(script.sources === 'cli' ? 0 : played.counters.unplaced).toBe(0);
  });
});
