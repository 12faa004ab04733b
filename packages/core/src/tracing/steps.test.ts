import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { resolveCapture } from '../capture/policy.ts';
import { randomIds, type SpanId, type TraceContext, type TraceId } from '../model/ids.ts';
import type { Sink } from '../model/sink.ts';
import type { CustomSpan } from '../model/span.ts';
import { FanOut } from './fan-out.ts';
import { Guarded } from './guard.ts';
import { Steps } from './steps.ts';

const REMOTE: TraceContext = { traceId: 'a'.repeat(32) as TraceId, spanId: 'a'.repeat(16) as SpanId, sampled: false };

interface StepWorld {
  readonly outer?: TraceContext;
  readonly sink?: Partial<Sink>;
  /** What the clock says next. Default: one more than before. */
  readonly times?: bigint[];
}

function setUp(options: StepWorld = {}) {
  const ended: CustomSpan[] = [];
  const turns: SpanId[] = [];
  const sink: Sink = {
    name: 'noted',
    spanEnd: (span) => void ended.push(span as CustomSpan),
    turnEnd: (spanId) => void turns.push(spanId),
    flush: async () => undefined,
    close: async () => undefined,
    ...options.sink,
  };
  const policy = resolveCapture('full', { environment: {} });
  let now = 0n;
  const steps = new Steps({
    fanOut: new FanOut([{ sink, policy }], new Guarded(() => undefined)),
    ids: randomIds(),
    clock: { now: () => options.times?.shift() ?? (now += 1n) },
    attributes: { team: 'a' },
    outer: () => options.outer,
  });
  return { steps, ended, turns };
}

describe('steps', () => {
  test('nest, through asynchronous code too, and the outermost ends their delivery', async () => {
    const { steps, ended, turns } = setUp();
    await steps.span('outer', async () => {
      await setImmediate();
      await Promise.all([
        steps.span('left', async () => setImmediate()),
        steps.span('right', async () => steps.span('inner', async () => setImmediate())),
      ]);
      expect(turns).toEqual([]);
    });
    const named = Object.fromEntries(ended.map((span) => [span.name, span]));
    expect(named['outer']).not.toHaveProperty('parentSpanId');
    expect(named['left']?.parentSpanId).toBe(named['outer']?.spanId);
    expect(named['right']?.parentSpanId).toBe(named['outer']?.spanId);
    expect(named['inner']?.parentSpanId).toBe(named['right']?.spanId);
    expect(new Set(ended.map(({ traceId }) => traceId)).size).toBe(1);
    expect(turns).toEqual([named['outer']?.spanId]);
  });

  test('end no sooner than they began, whatever is done to the clock', () => {
    const { steps, ended } = setUp({ times: [5_000n, 2_000n] });
    steps.span('a', () => undefined);
    expect(ended).toMatchObject([{ startedAt: 5_000n, endedAt: 5_000n }]);
  });

  test('beside each other are traces of their own', () => {
    const { steps, ended } = setUp();
    steps.span('a', () => undefined);
    steps.span('b', () => undefined);
    expect(ended[0]?.traceId).not.toBe(ended[1]?.traceId);
  });

  test('stand under what surrounds the program, with its decision, and end their delivery there', () => {
    const { steps, ended, turns } = setUp({ outer: REMOTE });
    steps.span('outer', () => steps.span('inner', () => undefined));
    const [inner, outer] = ended;
    expect(outer).toMatchObject({ traceId: REMOTE.traceId, parentSpanId: REMOTE.spanId, parentIsRemote: true });
    expect(inner).toMatchObject({ traceId: REMOTE.traceId, parentSpanId: outer?.spanId, traceIsSampled: false });
    expect(inner).not.toHaveProperty('parentIsRemote');
    expect(outer?.traceIsSampled).toBe(false);
    expect(turns).toEqual([outer?.spanId]);
  });

  test('take the trace that a live sink opened', () => {
    const { steps, ended } = setUp({ sink: { spanStart: () => ({ ...REMOTE, sampled: true }) } });
    steps.span('outer', () => steps.span('inner', () => undefined));
    expect(ended.map(({ traceId }) => traceId)).toEqual([REMOTE.traceId, REMOTE.traceId]);
  });

  test('have the attributes around them, the nearest last', async () => {
    const { steps, ended } = setUp();
    await steps.withAttributes({ user: 'ada', n: 1 }, async () => {
      await setImmediate();
      steps.withAttributes({ n: 2 }, () => steps.span('inner', () => undefined));
      steps.span('beside', () => undefined);
    });
    steps.span('outside', () => undefined);
    expect(ended.map(({ attributes }) => attributes)).toEqual([
      { team: 'a', user: 'ada', n: 2 },
      { team: 'a', user: 'ada', n: 1 },
      { team: 'a' },
    ]);
    expect(steps.current).toEqual({ attributes: { team: 'a' } });
  });

  test('surround what runs in them, with attributes kept', () => {
    const { steps, ended } = setUp();
    const around = steps.withAttributes({ n: 1 }, () => steps.span('job', () => steps.current));
    expect(around.step).toMatchObject({ spanId: ended[0]?.spanId, traceId: ended[0]?.traceId, sampled: true });
    expect(around.attributes).toEqual({ team: 'a', n: 1 });
  });
});

describe('the outcome of a step', () => {
  test('is what it returns, or throws, untouched', () => {
    const { steps, ended } = setUp();
    const value = {};
    expect(steps.span('value', () => value)).toBe(value);
    const error = new RangeError('mine');
    expect(() =>
      steps.span('error', () => {
        throw error;
      }),
    ).toThrow(error);
    expect(ended.map(({ status, error: failure }) => [status, failure])).toEqual([
      ['ok', undefined],
      ['error', { type: 'RangeError', message: 'mine' }],
    ]);
  });

  test('that is thrown and no error is told as text', () => {
    const { steps, ended } = setUp();
    const thrown: unknown = 'words';
    expect(() =>
      steps.span('error', () => {
        throw thrown;
      }),
    ).toThrow('words');
    expect(ended[0]?.error).toEqual({ type: 'Error', message: 'words' });
  });

  test('comes later of a promise, and its end with it', async () => {
    const { steps, ended } = setUp();
    const error = new Error('mine');
    const [sound, broken] = [
      steps.span('sound', async () => 5),
      steps.span('broken', async () => Promise.reject(error)),
    ];
    expect(ended).toEqual([]);
    expect(await sound).toBe(5);
    await expect(broken).rejects.toBe(error);
    expect(ended.map(({ name, status }) => [name, status]).toSorted()).toEqual([
      ['broken', 'error'],
      ['sound', 'ok'],
    ]);
  });

  test('is that very promise when it has members or a class of its own', async () => {
    const { steps, ended } = setUp();
    const child = Object.assign(Promise.resolve(1), { kill: () => 'killed' });
    expect(steps.span('child', () => child)).toBe(child);
    class Abortable<T> extends Promise<T> {
      abort(): string {
        return 'aborted';
      }
    }
    const abortable = Abortable.resolve(2);
    expect(steps.span('abortable', () => abortable)).toBe(abortable);
    await setImmediate();
    expect(ended.map(({ status }) => status)).toEqual(['ok', 'ok']);
  });

  test('raises one unhandledRejection for a promise that nobody handles', async () => {
    const { steps, ended } = setUp();
    const unhandled: unknown[] = [];
    // The runner's own listeners would fail the test.
    const others = process.rawListeners('unhandledRejection') as NodeJS.UnhandledRejectionListener[];
    process.removeAllListeners('unhandledRejection');
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listener);
    try {
      void steps.span('lost', async () => Promise.reject(new Error('lost')));
      await setImmediate();
      await setImmediate();
    } finally {
      process.off('unhandledRejection', listener);
      for (const other of others) process.on('unhandledRejection', other);
    }
    expect(unhandled).toEqual([new Error('lost')]);
    expect(ended[0]?.status).toBe('error');
  });
});
