import { describe, expect, test } from 'vitest';
import type { SpanId, TraceContext, TraceId } from '../model/ids.ts';
import { type ParentSources, queryParent, withStateOf } from './query-parent.ts';

function context(digit: string, sampled = true): TraceContext {
  return { traceId: digit.repeat(32) as TraceId, spanId: digit.repeat(16) as SpanId, sampled };
}

function header(digit: string): string {
  return `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
}

const all: ParentSources = {
  own: { TRACEPARENT: header('1'), TRACESTATE: 'a=1' },
  surroundings: { attributes: {}, step: context('2'), hostSpanId: context('3').spanId },
  ambient: () => context('3'),
  environment: () => ({ TRACEPARENT: header('4'), TRACESTATE: 'b=2' }),
};
const noStep = { attributes: {} };

describe('a query stands under', () => {
  test.each<[string, Partial<ParentSources>, object | undefined]>([
    ['what the user says for its child', {}, { ...context('1'), traceState: 'a=1', isRemote: true }],
    ['the step around it', { own: undefined }, { ...context('2'), isRemote: false }],
    [
      'the step, when the child’s is no traceparent',
      { own: { TRACEPARENT: 'x' } },
      { ...context('2'), isRemote: false },
    ],
    [
      'a span that the user has begun in the step around it',
      { own: undefined, ambient: () => context('5') },
      { ...context('5'), isRemote: true },
    ],
    ['what is active in the host', { own: {}, surroundings: noStep }, { ...context('3'), isRemote: true }],
    [
      'what the process inherited',
      { own: {}, surroundings: noStep, ambient: () => undefined },
      { ...context('4'), traceState: 'b=2', isRemote: true },
    ],
    [
      'nothing',
      { own: {}, surroundings: noStep, ambient: () => undefined, environment: () => ({ TRACEPARENT: 'x' }) },
      undefined,
    ],
  ])('%s', (_, sources, parent) => {
    expect(queryParent({ ...all, ...sources })).toEqual(parent);
  });

  test('a parent that was not sampled, and knows it', () => {
    const own = { TRACEPARENT: header('1').replace(/01$/, '00') };
    expect(queryParent({ ...all, own })?.sampled).toBe(false);
  });
});

describe('what a child is told of the state of its trace', () => {
  test('is that of the parent in the same trace, and nothing of another’s', () => {
    const parent = { ...context('1'), traceState: 'a=1' };
    const inside = { ...context('1'), spanId: context('2').spanId };
    expect(withStateOf(parent, inside)).toEqual({ ...inside, traceState: 'a=1' });
    expect(withStateOf(context('1'), inside)).not.toHaveProperty('traceState');
    expect(withStateOf(parent, context('2'))).not.toHaveProperty('traceState');
    expect(withStateOf(undefined, context('2'))).not.toHaveProperty('traceState');
  });
});
