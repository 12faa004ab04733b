import { createTracing, memorySink, type MemorySink, type Tracing } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { asObject, type JsonObject } from '../json.ts';
import { listRecordings, openRecording, recordingsAbsent, type Recording } from '../recordings/recording.ts';
import { readTree } from '../replay/expectation.ts';
import { treeText } from '../replay/tree-text.ts';
import { mockSdk } from './mock-sdk.ts';
import { hostOf, type Consumed } from './recorded-host.ts';
import { recordedScenarios } from './recorded-scenario.ts';

const absent = recordingsAbsent();
const withStream = listRecordings().filter((name) => !name.startsWith('cli-'));

interface Traced {
  readonly sink: MemorySink;
  readonly consumed: readonly Consumed[];
  readonly stats: ReturnType<Tracing['stats']>;
}

/** Plays a recording at its own pace through everything: wrapper, loopback thread, HTTP, assembler, capture, sink. */
async function traced(recording: Recording, cliTelemetry: 'on' | 'off', options: JsonObject = {}): Promise<Traced> {
  const sink = memorySink();
  const tracing = createTracing({ sinks: [sink], cliTelemetry, agentName: 'main', diag: () => undefined });
  await tracing.ready();
  const { traceparent } = recording.meta;
  const env = traceparent === undefined ? {} : { TRACEPARENT: traceparent };
  const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
  const consumed = await hostOf(recording, tracing.wrapSdk(sdk), { options: { ...options, env }, timeScale: 1 });
  await Promise.all(sdk.calls.map(({ exited }) => exited));
  await tracing.close();
  return { sink, consumed, stats: tracing.stats() };
}

describe.skipIf(absent !== undefined).concurrent(absent ?? 'a traced recording', () => {
  test.each(withStream)('%s becomes its reviewed tree', { timeout: 30_000 }, async (name) => {
    const recording = openRecording(name);
    const { sink, stats } = await traced(recording, 'on', { includePartialMessages: true, forwardSubagentText: true });
    expect(treeText(sink.spans)).toBe(readTree(name));
    expect(stats).toMatchObject({ caught: 0, queries: { open: 0 } });
  });
});
