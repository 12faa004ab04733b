import { describe, expect, test } from 'vitest';
import type { OtlpRequest } from '../../../core/src/otlp/records.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { brokenPromises } from './broken-promises.ts';
import { leavesOf, mutated } from './mutate.ts';
import { type Random, seeded } from './prng.ts';
import { play } from './replay.ts';
import { type QueryScript, type Step, scriptsOf } from './script.ts';

const MESSAGES = 20_000;
const REQUESTS = 5_000;
/** So many damaged things reach one assembler, in between sound ones. */
const PER_RUN = 50;

const scripts = listRecordings().flatMap((name) => scriptsOf(openRecording(name), 'sdk+cli'));
const messages = scripts.flatMap(({ steps }) =>
  steps.flatMap(({ what }) => (what.type === 'message' ? [what.message] : [])),
);
const requests = scripts.flatMap(({ steps }) =>
  steps.flatMap(({ what }) => (what.type === 'telemetry' ? [what.request] : [])),
);

function damagedMessage(random: Random, pool: readonly unknown[]): Step['what'] {
  return { type: 'message', message: mutated(random.pick(messages), pool, random) };
}

/** The decoder's shape holds, as it does behind the receiver; what is in it does not. */
function damagedRequest(random: Random, pool: readonly unknown[]): Step['what'] {
  const { signal, groups } = random.pick(requests);
  const damaged = groups.map((group) => ({
    ...group,
    records: group.records.map((record) => {
      if (random.next() < 0.5) return record;
      const attributes = mutated('attributes' in record ? record.attributes : {}, pool, random);
      return { ...record, attributes: typeof attributes === 'object' && attributes !== null ? attributes : {} };
    }),
  }));
  return { type: 'telemetry', request: { signal, groups: damaged } as unknown as OtlpRequest };
}

class GetterError extends Error {}

/** A message one of whose fields throws when it is read. */
function trapped(random: Random): Step['what'] {
  const message = structuredClone(random.pick(messages)) as Record<string, unknown>;
  const objects = Object.values(message).filter((value) => typeof value === 'object' && value !== null) as object[];
  const holder = random.pick<object>([message, ...objects]);
  const key = random.pick([...Object.keys(holder), 'type']);
  Object.defineProperty(holder, key, {
    get: () => {
      throw new GetterError(key);
    },
  });
  return { type: 'message', message };
}

/** A recorded query with damaged things strewn in. */
function strewn(script: QueryScript, random: Random, damaged: readonly Step['what'][]): QueryScript {
  const steps = [...script.steps];
  for (const what of damaged) {
    const index = random.below(steps.length + 1);
    const atMs = steps[Math.min(index, steps.length - 1)]?.atMs ?? 0;
    steps.splice(index, 0, { atMs, stream: 'sdk', what });
  }
  return { ...script, steps };
}

type Damage = (random: Random, pool: readonly unknown[]) => Step['what'];

/** The promises broken in runs with so many damaged things. */
function brokenBy(damagedOne: Damage, count: number, seed: number): readonly string[] {
  const random = seeded(seed);
  const pool = [...messages, ...requests].slice(0, 2_000).flatMap(leavesOf);
  return Array.from({ length: count / PER_RUN }, () => {
    const damaged = Array.from({ length: PER_RUN }, () => damagedOne(random, pool));
    return brokenPromises(play(strewn(random.pick(scripts), random, damaged)));
  }).flat();
}

describe('damaged input neither throws nor breaks a promise', () => {
  test('20,000 messages', { timeout: 60_000 }, () => {
    expect(brokenBy(damagedMessage, MESSAGES, 1)).toEqual([]);
  });
  test('what a getter throws passes through, for the guard around the reader to catch', () => {
    const random = seeded(3);
    const caught: unknown[] = [];
    for (let done = 0; done < 2_000; done += PER_RUN) {
      const damaged = Array.from({ length: PER_RUN }, () => trapped(random));
      const guard = (error: unknown): void => void caught.push(error);
      expect(brokenPromises(play(strewn(random.pick(scripts), random, damaged), { guard }))).toEqual([]);
    }
    expect(caught.length).toBeGreaterThan(500);
    expect(caught.filter((error) => !(error instanceof GetterError))).toEqual([]);
  });

  test('5,000 exports', { timeout: 60_000 }, () => {
    expect(brokenBy(damagedRequest, REQUESTS, 2)).toEqual([]);
  });
});
