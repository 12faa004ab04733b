import { describe, expect, test } from 'vitest';
import type { Span } from '../../../core/src/model/span.ts';
import type { OtlpGroup, OtlpRequest } from '../../../core/src/otlp/records.ts';
import { listRecordings, openRecording } from '../recordings/recording.ts';
import { play } from './replay.ts';
import { type QueryScript, scriptsOf, type Step } from './script.ts';
import { treeText } from './tree-text.ts';

const HOUR_NS = 3_600_000_000_000n;

type Move = (time: bigint) => bigint;

function moved(request: OtlpRequest, move: Move): OtlpRequest {
  switch (request.signal) {
    case 'traces':
      return within(request, (span) => ({
        ...span,
        startedAt: move(span.startedAt),
        endedAt: move(span.endedAt),
        events: span.events.map((event) => ({ ...event, at: move(event.at) })),
      }));
    case 'logs':
      return within(request, (log) => ({ ...log, at: move(log.at) }));
    case 'metrics':
      return request;
  }
}

function within<S, R>(
  request: { readonly signal: S; readonly groups: readonly OtlpGroup<R>[] },
  change: (record: R) => R,
): { readonly signal: S; readonly groups: readonly OtlpGroup<R>[] } {
  return { ...request, groups: request.groups.map((group) => ({ ...group, records: group.records.map(change) })) };
}

/** As if the clock of the machine on which the CLI runs were set in the middle of it. */
function withJump(script: QueryScript, by: bigint): QueryScript {
  const times = script.steps.map(({ atMs }) => atMs);
  const middleMs = script.epochMs + ((times[0] ?? 0) + (times.at(-1) ?? 0)) / 2;
  const middle = BigInt(Math.round(middleMs)) * 1_000_000n;
  const move: Move = (time) => (time < middle ? time : time + by);
  const steps = script.steps.map((step): Step => {
    const { what } = step;
    return what.type === 'telemetry'
      ? { ...step, what: { type: what.type, request: moved(what.request, move) } }
      : step;
  });
  return { ...script, steps };
}

/** No later than its end, and no part of it before its beginning. */
function isInOrder(span: Span): boolean {
  const { startedAt, endedAt = startedAt - 1n } = span;
  const part = span.kind === 'llm' ? span.firstTokenAt : span.kind === 'tool' ? span.executionStartedAt : undefined;
  return startedAt <= endedAt && (part === undefined || (startedAt <= part && part <= endedAt));
}

/** What a trace is about: times decide about no more than the order of its lines. */
const linesOf = (spans: readonly Span[]): readonly string[] => treeText(spans).split('\n').toSorted();

describe.each([
  ['left alone', 0n],
  ['set back by an hour', -HOUR_NS],
  ['set forward by an hour', HOUR_NS],
])('when the CLI’s clock is %s in the middle of a run', (_name, by) => {
  test.each(listRecordings())('%s: the trace is the same, ends, and no span ends before it begins', (name) => {
    for (const sources of ['cli', 'sdk+cli'] as const) {
      for (const script of scriptsOf(openRecording(name), sources)) {
        const { spans, openAgents, held } = play(withJump(script, by));
        expect({ openAgents, held }).toEqual({ openAgents: 0, held: 0 });
        expect(spans.filter((span) => !isInOrder(span))).toEqual([]);
        expect(linesOf(spans)).toEqual(linesOf(play(script).spans));
      }
    }
  });
});
