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
  const broken: string[] = [];
  const started = new Map<SpanId, CapturedSpan>();
  const ended = new Set<SpanId>();
  const over = new Set<SpanId>();
  // That it is a segment is known when it has outlived its turn, not when it starts.
  const segments = new Set(
    heard.flatMap((step) => (step.type === 'end' && isSegment(step.span) ? [step.span.spanId] : [])),
  );
  const rootOf = (span: CapturedSpan): SpanId => {
    const parent = span.parentSpanId === undefined ? undefined : started.get(span.parentSpanId);
    return parent === undefined || segments.has(span.spanId) ? span.spanId : rootOf(parent);
  };
  for (const step of heard) {
    if (step.type === 'turn-end') over.add(step.rootSpanId);
    else {
      const { kind, spanId, parentSpanId, parentIsRemote } = step.span;
      const name = `${kind} ${spanId}`;
      if (over.has(rootOf(step.span))) broken.push(`${name}: ${step.type} after the end of its turn`);
      if (step.type === 'start') {
        const isChild = parentSpanId !== undefined && parentIsRemote !== true;
        if (started.has(spanId)) broken.push(`${name}: started twice`);
        if (isChild && !started.has(parentSpanId)) broken.push(`${name}: started before its parent`);
        started.set(spanId, step.span);
      } else {
        if (!started.has(spanId)) broken.push(`${name}: ended without a start`);
        if (ended.has(spanId)) broken.push(`${name}: ended twice`);
        if (step.span.endedAt === undefined) broken.push(`${name}: an end without a time`);
        ended.add(spanId);
      }
    }
  }
  for (const [spanId, { kind }] of started) if (!ended.has(spanId)) broken.push(`${kind} ${spanId}: never ended`);
  return broken;
}

/** A segment is the root of a delivery of its own. */
function isSegment(span: CapturedSpan): boolean {
  return span.kind === 'agent' && span.isSegment === true;
}
