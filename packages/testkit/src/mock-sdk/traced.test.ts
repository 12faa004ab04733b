import { createTracing, memorySink, type MemorySink, type Tracing } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { asObject, type JsonObject } from '../json.ts';
import { listRecordings, openRecording, type Recording } from '../recordings/recording.ts';
import { readTree } from '../replay/expectation.ts';
import { treeText } from '../replay/tree-text.ts';
import { mockSdk } from './mock-sdk.ts';
import { hostOf, type Consumed } from './recorded-host.ts';
import { recordedScenarios } from './recorded-scenario.ts';

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

describe.concurrent('a traced recording', () => {
  test.each(withStream)('%s becomes its reviewed tree', { timeout: 30_000 }, async (name) => {
    const recording = openRecording(name);
    const { sink, stats } = await traced(recording, 'on', { includePartialMessages: true, forwardSubagentText: true });
    expect(treeText(sink.spans)).toBe(readTree(name));
    expect(stats).toMatchObject({ caught: 0, queries: { open: 0 } });
  });
});

describe('the consumer of a traced recording', () => {
  const start = (cliTelemetry: 'on' | 'off'): Tracing =>
    createTracing({ sinks: [memorySink()], cliTelemetry, diag: () => undefined });
  const tracings = { on: start('on'), off: start('off') };

  /** As fast as it goes, with the recording's own message objects. */
  const play = async (
    recording: Recording,
    tracing: Tracing | undefined,
    options: JsonObject,
  ): Promise<readonly Consumed[]> => {
    const sdk = mockSdk({ scenarios: recordedScenarios(recording), times: 'recorded' });
    return hostOf(recording, tracing?.wrapSdk(sdk) ?? sdk, { options: { ...options, env: {} } });
  };

  const cases = withStream.flatMap((name) =>
    ([{}, { includePartialMessages: true, forwardSubagentText: true }] as const).flatMap((options) =>
      (['on', 'off'] as const).map((trace) => ({ name, trace, options })),
    ),
  );

  test.each(cases)(
    '$name gives the same objects in the same order (telemetry $trace, options $options)',
    async (run) => {
      // One opening for both: its message objects are those that are handed out.
      const recording = openRecording(run.name);
      const plain = await play(recording, undefined, run.options);
      const watched = await play(recording, tracings[run.trace], run.options);
      expect(watched.map(({ error }) => error)).toEqual(plain.map(({ error }) => error));
      const numbers = new Map(recording.messages.map(({ message }, index) => [message, index]));
      const order = (list: readonly Consumed[]) =>
        list.map(({ messages }) => messages.map((message) => numbers.get(message)));
      expect(order(watched)).toEqual(order(plain));
      if (Object.keys(run.options).length > 0) return;
      const kinds = watched.flatMap(({ messages }) => messages.map((message) => message['type']));
      expect(kinds).not.toContain('stream_event');
    },
  );

  test('and nothing had to be caught', async () => {
    for (const tracing of Object.values(tracings)) {
      await tracing.close(0);
      expect(tracing.stats()).toMatchObject({ caught: 0, queries: { open: 0 } });
    }
  });

  test('partial messages that nobody asked for are there for tracing all the same', async () => {
    const { sink } = await traced(openRecording('partials-with-thinking'), 'off');
    const figures = sink.spans.flatMap((span) => (span.kind === 'llm' ? [span.usage?.outputTokens] : []));
    // The final figures are those of message_delta; the assistant messages say 1.
    expect(figures.toSorted()).toEqual(finalFigures('partials-with-thinking').toSorted());
  });
});

function finalFigures(name: string): readonly unknown[] {
  const events = openRecording(name).messages.map(({ message }) => asObject(message['event']));
  const deltas = events.filter((event) => event['type'] === 'message_delta');
  return deltas.map((event) => asObject(event['usage'])['output_tokens']);
}
