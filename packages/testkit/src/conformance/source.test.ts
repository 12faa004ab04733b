import { type CapturedSpan, createTracing } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { mockSdk } from '../mock-sdk/mock-sdk.ts';
import { hostOf } from '../mock-sdk/recorded-host.ts';
import { recordedScenarios } from '../mock-sdk/recorded-scenario.ts';
import { readTree } from '../replay/expectation.ts';
import { treeText } from '../replay/tree-text.ts';
import { brokenPromises, type Heard, testSource } from './test-source.ts';
import { agent, SEGMENT, told, tool } from './traces.ts';

describe('the suite of sources', () => {
  testSource(test, {
    name: 'SDK stream and CLI telemetry',
    recordings: [
      'bash-call',
      'three-tools-at-once',
      'foreground-subagent',
      'background-subagent',
      'resumed-and-forked',
      'bad-request',
    ],
    expected: readTree,
    treeOf: treeText,
    trace: async (recording, sink) => {
      const tracing = createTracing({ sinks: [sink], agentName: 'main', cliTelemetry: 'on', diag: () => undefined });
      await tracing.ready();
      const { traceparent } = recording.meta;
      const env = traceparent === undefined ? {} : { TRACEPARENT: traceparent };
      const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
      const options = { includePartialMessages: true, forwardSubagentText: true, env };
      await hostOf(recording, tracing.wrapSdk(sdk), { options, timeScale: 1 });
      await Promise.all(sdk.calls.map(({ exited }) => exited));
      await tracing.close();
    },
  });
});

describe('a broken promise is found', () => {
  const good = told([tool({ id: 2, parent: 1, ms: [0, 1] }), agent({ id: 1, ms: [0, 2] })]) as readonly Heard[];
  const [startAgent, startTool, endTool, endAgent, turnEnd] = good as [Heard, Heard, Heard, Heard, Heard];
  const { endedAt: _, ...unended } = (endTool as { span: CapturedSpan }).span;

  test.each([
    { what: 'nothing', heard: good, expected: [] },
    { what: 'a segment', heard: SEGMENT as readonly Heard[], expected: [] },
    { what: 'child first', heard: [startTool, startAgent, endTool, endAgent], expected: [/started before its parent/] },
    { what: 'two starts', heard: [startAgent, startAgent, endAgent], expected: [/started twice/] },
    { what: 'two ends', heard: [startAgent, endAgent, endAgent], expected: [/ended twice/] },
    { what: 'no start', heard: [endAgent], expected: [/ended without a start/] },
    { what: 'no end', heard: [startAgent], expected: [/never ended/] },
    {
      what: 'late',
      heard: [startAgent, startTool, endAgent, turnEnd, endTool],
      expected: [/after the end of its turn/],
    },
    {
      what: 'no time',
      heard: [startAgent, startTool, { type: 'end', span: unended as CapturedSpan } as Heard, endAgent],
      expected: [/without a time/],
    },
  ])('$what', ({ heard, expected }) => {
    const broken = brokenPromises(heard);
    expect(broken).toHaveLength(expected.length);
    expected.forEach((pattern, index) => expect(broken[index]).toMatch(pattern));
  });
});
