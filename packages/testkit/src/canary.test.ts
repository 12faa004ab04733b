import { describe, expect, test } from 'vitest';
import type { CaptureFields } from '../../core/src/model/capture-options.ts';
import { CANARY, type ContentClass, canariesIn } from './canary/canaries.ts';
import { plantedRuns } from './canary/planted-run.ts';
import { type Left, WatchedSinks, type WatchedSinksOptions } from './canary/watched-sinks.ts';
import { listRecordings, openRecording } from './recordings/recording.ts';
import type { SourceSet } from './replay/script.ts';

const recordings = listRecordings();
const SOURCE_SETS = ['sdk+cli', 'sdk+partials', 'sdk', 'cli'] as const satisfies readonly SourceSet[];

interface Leaving extends WatchedSinksOptions {
  readonly names: readonly string[];
  readonly sources: readonly SourceSet[];
}

/** What of these recordings leaves through sinks of every sort. */
async function leftOf({ names, sources, ...options }: Leaving): Promise<Left> {
  await using sinks = await WatchedSinks.start(options);
  for (const recording of names.map((name) => openRecording(name))) {
    for (const { told, metrics } of sources.flatMap((set) => plantedRuns(recording, set))) {
      sinks.tell(told);
      sinks.metrics(metrics);
    }
  }
  // Awaited here: leaving the scope closes the collectors.
  return await sinks.left();
}

type Classes = Readonly<Record<keyof Left, readonly ContentClass[]>>;

function classesIn(left: Left): Classes {
  return Object.fromEntries(
    Object.entries(left).map(([exit, bytes]) => [exit, canariesIn(bytes)]),
  ) as unknown as Classes;
}

const NOWHERE: Classes = {
  protobuf: [],
  json: [],
  logfire: [],
  spool: [],
  otel: [],
  sentry: [],
  console: [],
  diagnostics: [],
};

describe('content of every recording', () => {
  const cases = recordings.flatMap((name) => SOURCE_SETS.map((sources) => ({ name, sources })));

  test.each(cases)('$name, $sources: none of it leaves by default', async ({ name, sources }) => {
    const left = await leftOf({ names: [name], sources: [sources] });
    expect(classesIn(left)).toEqual(NOWHERE);
  });

  test.each(recordings)('%s: with full capture it leaves through every sink', async (name) => {
    const left = classesIn(await leftOf({ names: [name], sources: ['sdk+cli', 'cli'], capture: 'full' }));
    const { protobuf } = left;
    expect(protobuf).not.toEqual([]);
    expect(left).toMatchObject({
      json: protobuf,
      logfire: protobuf,
      spool: protobuf,
      otel: protobuf,
      sentry: protobuf,
      diagnostics: [],
    });
    // A line is no place for answers and results.
    const inLines = protobuf.some((content) => ['prompt', 'toolInput', 'error'].includes(content));
    expect(left.console.length > 0, 'on the console').toBe(inLines);
  });

  const fields: readonly (readonly [CaptureFields, readonly ContentClass[]])[] = [
    [{ prompts: true }, ['prompt']],
    [{ outputs: true }, ['output']],
    // Thinking is part of an answer.
    [{ thinking: true }, []],
    [{ outputs: true, thinking: true }, ['output', 'thinking']],
    [{ toolInputs: true }, ['toolInput', 'task']],
    [{ toolOutputs: true }, ['toolOutput', 'toolError']],
    [{ errors: true }, ['toolError', 'error']],
    [{ location: true }, ['location']],
    // No source of a replay shows any.
    [{ systemInstructions: true }, []],
  ];

  test.each(fields)('%o lets out nothing else', { timeout: 60_000 }, async (capture, classes) => {
    const left = classesIn(await leftOf({ names: recordings, sources: ['sdk', 'cli'], capture }));
    const all = { protobuf: classes, json: classes, logfire: classes, spool: classes, otel: classes, sentry: classes };
    expect(left).toMatchObject({ ...all, diagnostics: [] });
    expect(classes).toEqual(expect.arrayContaining([...left.console]));
  });

  test('metrics of the CLI are forwarded, and nothing tells where the program runs', async () => {
    await using sinks = await WatchedSinks.start();
    for (const { told, metrics } of plantedRuns(openRecording('bash-call'), 'sdk+cli')) {
      sinks.tell(told);
      sinks.metrics(metrics);
    }
    const left = await sinks.left();
    for (const bytes of [left.protobuf, left.json]) {
      expect(bytes.includes('claude_code.session.count')).toBe(true);
      expect(bytes.includes('gen_ai.client.token.usage')).toBe(true);
    }
    // What the host's own tracing says of itself is its own business.
    const { otel: _, ...ours } = left;
    for (const bytes of Object.values(ours)) expect(bytes.includes(process.cwd())).toBe(false);
    expect(sinks.resources.map((resource) => Object.keys(resource).toSorted())).toEqual([
      ['service.name', 'telemetry.sdk.language', 'telemetry.sdk.name'],
    ]);
  });

  test('a redactor that throws what it was given, and backends that refuse, put nothing into diagnostics', async () => {
    const redact = (text: string): string => {
      throw new Error(text);
    };
    const all = { prompts: true, outputs: true, toolInputs: true, toolOutputs: true, errors: true, location: true };
    const left = await leftOf({
      names: ['bash-call', 'bad-request'],
      sources: ['sdk+cli'],
      capture: { ...all, redact },
    });
    expect(classesIn(left)).toEqual(NOWHERE);
    const refused = await leftOf({
      names: ['bash-call', 'bad-request'],
      sources: ['sdk+cli'],
      capture: 'full',
      refuses: true,
    });
    expect(refused.diagnostics.length).toBeGreaterThan(0);
    expect(refused.diagnostics.includes(CANARY)).toBe(false);
  });
});
