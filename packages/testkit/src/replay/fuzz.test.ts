import { describe, expect, test } from 'vitest';
import { applyCapture } from '../../../core/src/capture/apply-capture.ts';
import { resolveCapture } from '../../../core/src/capture/policy.ts';
import { genaiDialect } from '../../../core/src/dialect/genai-dialect.ts';
import { decodeOtlp } from '../../../core/src/otlp/decode/decode-otlp.ts';
import { OtlpDecodeError } from '../../../core/src/otlp/decode/error.ts';
import {
  encodeLogsJson,
  encodeMetricsJson,
  encodeSpanJson,
  encodeTracesJson,
} from '../../../core/src/otlp/encode/json.ts';
import { encodeLogs, encodeMetrics, encodeSpan, encodeTraces } from '../../../core/src/otlp/encode/protobuf.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../../../core/src/otlp/records.ts';
import { spanRecord } from '../../../core/src/otlp/sink/span-record.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { brokenPromises } from './broken-promises.ts';
import { damagedBytes } from './damage-bytes.ts';
import { leavesOf, mutated } from './mutate.ts';
import { type Random, seeded } from './prng.ts';
import { type Played, play } from './replay.ts';
import { type QueryScript, type Step, scriptsOf } from './script.ts';

const MESSAGES = 100_000;
const BODIES = 100_000;
const REQUESTS = 10_000;
/** Another seed finds other faults; the one that found one finds it again. */
const SEED = Number(process.env['SPANPRISM_FUZZ_SEED'] ?? 1);
/** So many damaged things reach one assembler, in between sound ones. */
const PER_RUN = 50;

const scripts = listRecordings().flatMap((name) => scriptsOf(openRecording(name), 'sdk+cli'));
const messages = scripts.flatMap(({ steps }) =>
  steps.flatMap(({ what }) => (what.type === 'message' ? [what.message] : [])),
);
const requests = scripts.flatMap(({ steps }) =>
  steps.flatMap(({ what }) => (what.type === 'telemetry' ? [what.request] : [])),
);
const pool = [...messages, ...requests].slice(0, 2_000).flatMap(leavesOf);

function damagedMessage(random: Random): Step['what'] {
  return { type: 'message', message: mutated(random.pick(messages), pool, random) };
}

/** The decoder's shape holds, as it does behind the receiver; what is in it does not. */
function damagedRequest(random: Random): Step['what'] {
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

interface Body {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  readonly bytes: Uint8Array;
}

/** What was exported, as bytes; large ones hold nothing that small ones do not. */
const bodies = requests
  .flatMap((request) => [bodyOf(request, 'protobuf'), bodyOf(request, 'json')])
  .filter(({ bytes }) => bytes.length <= 16_384);

function bodyOf(request: OtlpRequest, encoding: OtlpEncoding): Body {
  return { signal: request.signal, encoding, bytes: encoding === 'json' ? inJson(request) : inProtobuf(request) };
}

function inJson({ signal, groups }: OtlpRequest): Uint8Array {
  if (signal === 'traces') return encodeTracesJson(groups);
  return signal === 'logs' ? encodeLogsJson(groups) : encodeMetricsJson(groups);
}

function inProtobuf({ signal, groups }: OtlpRequest): Uint8Array {
  if (signal === 'traces') return encodeTraces(groups);
  return signal === 'logs' ? encodeLogs(groups) : encodeMetrics(groups);
}

/** What the receiver makes of it: records, or a refusal. */
function decoded({ signal, encoding, bytes }: Body): Step['what'] | 'refused' {
  try {
    return { type: 'telemetry', request: decodeOtlp(signal, encoding, bytes) };
  } catch (error) {
    if (error instanceof OtlpDecodeError) return 'refused';
    throw error;
  }
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

const DIALECT = genaiDialect();
const POLICY = resolveCapture('full', { environment: {} });

/** Captured, spelled and encoded, as on the way to a backend: nothing of it may throw. */
function sent({ told }: Played): void {
  for (const event of told) {
    if (event.type !== 'end') continue;
    const record = spanRecord(applyCapture(event.span, POLICY), DIALECT);
    encodeSpan(record);
    encodeSpanJson(record);
  }
}

/** The promises broken in runs with so many damaged things. */
function brokenBy(damagedOne: (random: Random) => Step['what'], count: number, seed: number): readonly string[] {
  const random = seeded(seed);
  return Array.from({ length: count / PER_RUN }, () => {
    const played = play(
      strewn(
        random.pick(scripts),
        random,
        Array.from({ length: PER_RUN }, () => damagedOne(random)),
      ),
    );
    sent(played);
    return brokenPromises(played);
  }).flat();
}

describe(`damaged input neither throws nor breaks a promise (seed ${SEED})`, () => {
  test('100,000 messages', { timeout: 120_000 }, () => {
    expect(brokenBy(damagedMessage, MESSAGES, SEED)).toEqual([]);
  });

  test('100,000 bodies of exports', { timeout: 120_000 }, () => {
    const counts = { read: 0, refused: 0 };
    const damagedBody = (random: Random): Step['what'] => {
      for (;;) {
        const body = random.pick(bodies);
        const what = decoded({ ...body, bytes: damagedBytes(body.bytes, body.encoding, random) });
        counts[what === 'refused' ? 'refused' : 'read'] += 1;
        if (what !== 'refused') return what;
      }
    };
    const broken: string[] = [];
    for (let seed = SEED; counts.read + counts.refused < BODIES; seed += 1)
      broken.push(...brokenBy(damagedBody, PER_RUN * 20, seed));
    expect(broken).toEqual([]);
    expect(counts.read).toBeGreaterThan(BODIES / 10);
    expect(counts.refused).toBeGreaterThan(BODIES / 10);
    expect('polluted' in {}).toBe(false);
  });

  test('10,000 exports that were decoded', { timeout: 60_000 }, () => {
    expect(brokenBy(damagedRequest, REQUESTS, SEED + 1)).toEqual([]);
  });

  test('what a getter throws passes through, for the guard around the reader to catch', () => {
    const random = seeded(SEED + 2);
    const caught: unknown[] = [];
    for (let done = 0; done < 2_000; done += PER_RUN) {
      const damaged = Array.from({ length: PER_RUN }, () => trapped(random));
      const guard = (error: unknown): void => void caught.push(error);
      expect(brokenPromises(play(strewn(random.pick(scripts), random, damaged), { guard }))).toEqual([]);
    }
    expect(caught.length).toBeGreaterThan(500);
    expect(caught.filter((error) => !(error instanceof GetterError))).toEqual([]);
  });
});
