import { describe, expect, test } from 'vitest';
import { resolveCapture } from '../capture/policy.ts';
import type { CaptureOptions } from '../model/capture-options.ts';
import type { SpanId, SpanKey, TraceContext, TraceId } from '../model/ids.ts';
import type { CapturedSpan, MetricPoint, Sink } from '../model/sink.ts';
import type { LlmSpan } from '../model/span.ts';
import { FanOut, type Route } from './fan-out.ts';
import { Guarded } from './guard.ts';

const span: LlmSpan = {
  kind: 'llm',
  key: 'llm:req_1' as SpanKey,
  traceId: '1'.repeat(32) as TraceId,
  spanId: '1'.repeat(16) as SpanId,
  startedAt: 1n,
  endedAt: 2n,
  status: 'ok',
  events: [],
  seenBy: ['sdk'],
  issues: [],
  attributes: {},
  requestModel: 'm',
  provider: 'anthropic',
  agentName: 'claude',
  attempts: 1,
  purpose: 'turn',
  input: [{ role: 'user', content: [{ type: 'text', text: 'the secret words' }] }],
};

interface NotedSink extends Sink {
  readonly started: CapturedSpan[];
  readonly ended: CapturedSpan[];
}

function noted(name: string, members: Partial<Sink> = {}): NotedSink {
  const started: CapturedSpan[] = [];
  const ended: CapturedSpan[] = [];
  return {
    name,
    started,
    ended,
    spanEnd: (one) => void ended.push(one),
    flush: async () => undefined,
    close: async () => undefined,
    ...members,
  };
}

function live(name: string, context?: TraceContext): NotedSink {
  const sink = noted(name, {
    spanStart: (one) => {
      sink.started.push(one);
      return context;
    },
  });
  return sink;
}

const route = (sink: Sink, capture?: CaptureOptions): Route => ({
  sink,
  policy: resolveCapture(capture, { environment: {} }),
});

function fanOut(...routes: readonly Route[]) {
  const told: string[] = [];
  const guarded = new Guarded((level, message) => told.push(`${level}: ${message}`));
  return { fan: new FanOut(routes, guarded), guarded, told };
}

const fail = (): never => {
  throw new Error('of the sink');
};

const context = (digit: string): TraceContext => ({
  traceId: digit.repeat(32) as TraceId,
  spanId: digit.repeat(16) as SpanId,
  sampled: true,
});

describe('a span', () => {
  test('reaches every sink through its own policy', () => {
    const [plain, full, prompts] = [noted('plain'), noted('full'), noted('prompts')];
    fanOut(route(plain), route(full, 'full'), route(prompts, { prompts: true })).fan.end(span);
    expect(plain.ended[0]).not.toHaveProperty('input');
    expect(full.ended[0]?.kind === 'llm' && full.ended[0].input).toEqual(span.input);
    expect(prompts.ended[0]).toHaveProperty('input');
  });

  test('is captured once for all sinks of one policy', () => {
    let redactions = 0;
    const redact = (text: string): string => {
      redactions += 1;
      return text;
    };
    const policy = resolveCapture('full', { environment: {}, redact });
    const [a, b] = [noted('a'), noted('b')];
    fanOut({ sink: a, policy }, { sink: b, policy }).fan.end(span);
    expect(redactions).toBe(1);
    expect(a.ended[0]).toBe(b.ended[0]);
  });

  test('that starts opens the trace in the first live sink, and later ones are told of that trace', () => {
    const [deaf, first, second] = [noted('deaf'), live('first', context('a')), live('second', context('b'))];
    const { fan } = fanOut(route(deaf), route(first), route(second));
    expect(fan.start(span)).toEqual(context('a'));
    expect(first.started[0]?.traceId).toBe(span.traceId);
    expect(second.started[0]?.traceId).toBe(context('a').traceId);
    expect(deaf.started).toEqual([]);
  });

  test('that starts is told first to sinks in the tracing of the host, as these may open another trace', () => {
    const pending = live('pending');
    const host: NotedSink = { ...live('host', context('a')), ambient: () => undefined };
    expect(fanOut(route(pending), route(host)).fan.start(span)).toEqual(context('a'));
    expect(pending.started.map(({ traceId }) => traceId)).toEqual([context('a').traceId]);
  });

  test('that starts below another keeps its trace', () => {
    const [first, second] = [live('first', context('a')), live('second')];
    fanOut(route(first), route(second)).fan.start({ ...span, parentSpanId: '2'.repeat(16) as SpanId });
    expect(second.started[0]?.traceId).toBe(span.traceId);
  });

  test('that starts is not captured where nobody hears of starts', () => {
    const policy = resolveCapture('full', { environment: {}, redact: fail });
    const { fan } = fanOut({ sink: noted('deaf'), policy });
    expect(fan.hearsStarts).toBe(false);
    expect(fan.start(span)).toBeUndefined();
  });
});

const point = { name: 'm' } as MetricPoint;

describe('a sink that throws', () => {
  const broken = noted('broken', {
    spanStart: fail,
    spanEnd: fail,
    turnEnd: fail,
    metrics: fail,
    ambient: fail,
    persistSync: fail,
    stats: fail,
  });

  test('costs the others nothing, and is counted and told once per kind of fault', () => {
    const heard: string[] = [];
    const sound = noted('sound', {
      spanStart: () => (heard.push('start'), context('a')),
      spanEnd: () => void heard.push('end'),
      turnEnd: () => void heard.push('turn end'),
      metrics: () => void heard.push('metrics'),
      ambient: () => (heard.push('ambient'), context('b')),
      persistSync: () => void heard.push('persist'),
      stats: () => ({ delivered: 1, queued: 0, dropped: {} }),
    });
    const { fan, guarded, told } = fanOut(route(broken), route(sound));
    expect(fan.start(span)).toEqual(context('a'));
    fan.end(span);
    fan.end(span);
    fan.turnEnd(span.spanId);
    fan.metrics([point]);
    expect(fan.ambient()).toEqual(context('b'));
    fan.persistSync(true);
    expect(fan.stats()).toEqual({ sound: { delivered: 1, queued: 0, dropped: {} } });
    expect(heard).toEqual(['start', 'end', 'end', 'turn end', 'metrics', 'ambient', 'persist']);
    expect(guarded.caught).toBe(8);
    expect(told.filter((line) => line.startsWith('error: broken.spanEnd'))).toHaveLength(1);
    expect(told).toHaveLength(7);
  });

  test('later, in a promise, is caught as well', async () => {
    const lazy = noted('lazy', {
      spanStart: (async () => fail()) as unknown as () => undefined,
      spanEnd: async () => fail(),
      turnEnd: async () => fail(),
      metrics: async () => fail(),
    });
    const { fan, guarded } = fanOut(route(lazy), route(live('sound', context('a'))));
    expect(fan.start(span)).toEqual(context('a'));
    fan.end(span);
    fan.turnEnd(span.spanId);
    fan.metrics([point]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(guarded.caught).toBe(4);
  });

  test('does not stop a diagnostic that throws from being survived', () => {
    const guarded = new Guarded(fail);
    expect(guarded.run('x', fail)).toBeUndefined();
    expect(guarded.caught).toBe(1);
  });
});

describe('user code inside a span', () => {
  const activating = (name: string, order: string[], activate?: Sink['activate']): Sink =>
    noted(name, {
      activate:
        activate ??
        ((spanId, run) => {
          order.push(`${name} ${spanId.slice(0, 1)}`);
          return run();
        }),
    });

  test('runs inside every sink that can, the first outermost', () => {
    const order: string[] = [];
    const { fan } = fanOut(route(activating('a', order)), route(noted('deaf')), route(activating('b', order)));
    expect(fan.activate(span.spanId, () => order.push('user'))).toBe(3);
    expect(order).toEqual(['a 1', 'b 1', 'user']);
  });

  test.each<[string, Sink['activate']]>([
    ['throws before', fail],
    ['never runs it', () => undefined as never],
    ['runs it twice', (_, run) => (run(), run())],
    [
      'throws after',
      (_, run) => {
        run();
        return fail();
      },
    ],
    ['returns something else', (_, run) => (run(), 'other' as never)],
  ])('runs once and keeps its value in a sink that %s', (_, activate) => {
    let runs = 0;
    const { fan } = fanOut(route(activating('odd', [], activate)));
    const value = {};
    expect(
      fan.activate(span.spanId, () => {
        runs += 1;
        return value;
      }),
    ).toBe(value);
    expect(runs).toBe(1);
  });

  test('throws its own error, once, through a sink that runs it twice', () => {
    let runs = 0;
    const { fan, guarded } = fanOut(route(activating('twice', [], (_, run) => (run(), run()))));
    const error = new Error('of the user');
    expect(() =>
      fan.activate(span.spanId, () => {
        runs += 1;
        throw error;
      }),
    ).toThrow(error);
    expect([runs, guarded.caught]).toEqual([1, 0]);
  });
});

describe('flush', () => {
  test('waits for all, and rejects with the failure of one', async () => {
    let wasFlushed = false;
    const sound = noted('sound', { flush: async () => void (wasFlushed = true) });
    const error = new Error('lost 1 span');
    await expect(
      fanOut(route(noted('broken', { flush: async () => Promise.reject(error) })), route(sound)).fan.each(
        'flush',
        1_000,
      ),
    ).rejects.toBe(error);
    expect(wasFlushed).toBe(true);
  });

  test('rejects with the failures of all', async () => {
    const { fan } = fanOut(route(noted('a', { flush: fail })), route(noted('b', { flush: fail })));
    await expect(fan.each('flush', 1_000)).rejects.toMatchObject({ errors: [{ message: 'of the sink' }, {}] });
  });

  test('leaves a sink behind that does not keep the deadline', async () => {
    const { fan } = fanOut(route(noted('slow', { flush: () => new Promise(() => undefined) })));
    await expect(fan.each('flush', 0)).rejects.toThrow('slow did not flush within 0 ms');
  });
});
