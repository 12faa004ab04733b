import assert from 'node:assert/strict';
import type { CapturedSpan, Sink, SpanId } from '@spanprism/core';
import { openRecording, type Recording } from '../recordings/recording.ts';
import type { TestFunction } from './test-sink.ts';

/** What a sink was told, in order. */
export type Heard =
  | { readonly type: 'start' | 'end'; readonly span: CapturedSpan }
  | { readonly type: 'turn-end'; readonly rootSpanId: SpanId };

/** A live sink that notes everything it is told. */
export interface ListeningSink extends Sink {
  readonly heard: readonly Heard[];
}

export function listeningSink(): ListeningSink {
  const heard: Heard[] = [];
  return {
    name: 'listening',
    heard,
    spanStart: (span) => {
      heard.push({ type: 'start', span });
      return undefined;
    },
    spanEnd: (span) => void heard.push({ type: 'end', span }),
    turnEnd: (rootSpanId) => void heard.push({ type: 'turn-end', rootSpanId }),
    flush: async () => undefined,
    close: async () => undefined,
  };
}

export interface SourceCase {
  readonly name: string;
  readonly recordings: readonly string[];
  /** Lets the source see a recording and resolves when all that it says has reached the sink. */
  trace(recording: Recording, sink: Sink): Promise<void>;
  /** The tree that must come of it, from a reviewed file. */
  readonly expected: (recording: string) => string;
  readonly treeOf: (spans: readonly CapturedSpan[]) => string;
}

/** Registers what must hold of a source: the reviewed tree of every recording, and what the assembler promises to sinks. */
export function testSource(test: TestFunction, source: SourceCase): void {
  for (const recording of source.recordings) {
    test(`${source.name}: ${recording} gives its tree, in the promised order`, async () => {
      const sink = listeningSink();
      await source.trace(openRecording(recording), sink);
      const ended = sink.heard.flatMap((step) => (step.type === 'end' ? [step.span] : []));
      assert.equal(source.treeOf(ended), source.expected(recording));
      assert.deepEqual(brokenPromises(sink.heard), []);
    });
  }
}

/** Everything in which a delivery differs from what sinks may rely on; empty if nothing does. */
export function brokenPromises(heard: readonly Heard[]): readonly string[] {
  const state: Delivery = {
    started: new Map(),
    ended: new Set(),
    over: new Set(),
    // That it is a segment is known when it has outlived its turn, not when it starts.
    segments: new Set(heard.flatMap((step) => (step.type === 'end' && isSegment(step.span) ? [step.span.spanId] : []))),
  };
  const broken = heard.flatMap((step) => brokenBy(step, state));
  const open = [...state.started.values()].filter(({ spanId }) => !state.ended.has(spanId));
  return [...broken, ...open.map((span) => `${nameOf(span)}: never ended`)];
}

interface Delivery {
  readonly started: Map<SpanId, CapturedSpan>;
  readonly ended: Set<SpanId>;
  /** Roots whose turn has ended. */
  readonly over: Set<SpanId>;
  readonly segments: ReadonlySet<SpanId>;
}

const nameOf = ({ kind, spanId }: CapturedSpan): string => `${kind} ${spanId}`;

function brokenBy(step: Heard, state: Delivery): readonly string[] {
  if (step.type === 'turn-end') {
    state.over.add(step.rootSpanId);
    return [];
  }
  const { span } = step;
  const isLate = state.over.has(rootOf(span, state));
  const broken = step.type === 'start' ? brokenByStart(span, state) : brokenByEnd(span, state);
  return [...(isLate ? [`${step.type} after the end of its turn`] : []), ...broken].map(
    (what) => `${nameOf(span)}: ${what}`,
  );
}

function brokenByStart(span: CapturedSpan, { started }: Delivery): readonly string[] {
  const { spanId, parentSpanId, parentIsRemote } = span;
  const isOrphan = parentSpanId !== undefined && parentIsRemote !== true && !started.has(parentSpanId);
  const broken = [
    ...(started.has(spanId) ? ['started twice'] : []),
    ...(isOrphan ? ['started before its parent'] : []),
  ];
  started.set(spanId, span);
  return broken;
}

function brokenByEnd({ spanId, endedAt }: CapturedSpan, { started, ended }: Delivery): readonly string[] {
  const broken = [
    ...(started.has(spanId) ? [] : ['ended without a start']),
    ...(ended.has(spanId) ? ['ended twice'] : []),
    ...(endedAt === undefined ? ['an end without a time'] : []),
  ];
  ended.add(spanId);
  return broken;
}

/** The span whose turn this one is delivered with. */
function rootOf(span: CapturedSpan, state: Delivery): SpanId {
  const parent = span.parentSpanId === undefined ? undefined : state.started.get(span.parentSpanId);
  return parent === undefined || state.segments.has(span.spanId) ? span.spanId : rootOf(parent, state);
}

/** A segment is the root of a delivery of its own. */
function isSegment(span: CapturedSpan): boolean {
  return span.kind === 'agent' && span.isSegment === true;
}
