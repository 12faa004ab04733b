import { afterEach, describe, expect, test } from 'vitest';
import { ConfigurationError } from './model/configuration-error.ts';
import type { SpanId } from './model/ids.ts';
import type { CapturedSpan, Sink } from './model/sink.ts';
import { memorySink } from './sinks/memory-sink.ts';
import { createTracing, type Tracing } from './tracing.ts';
import { CliRecords, cliId, type Figures } from './tracing/__fixtures__/cli-records.ts';
import { FakeChild } from './tracing/__fixtures__/fake-child.ts';
import { answer, init, type Message, result, toolUse } from './tracing/__fixtures__/sdk-messages.ts';
import type { TracingOptions } from './tracing/options.ts';

const tracings: Tracing[] = [];

afterEach(async () => {
  await Promise.all(tracings.splice(0).map((tracing) => tracing.close(0)));
});

function start(options: Partial<TracingOptions> = {}) {
  const sink = memorySink();
  const told: string[] = [];
  const tracing = createTracing({ sinks: [sink], diag: (_, message) => told.push(message), ...options });
  tracings.push(tracing);
  return { tracing, spans: sink.spans, told };
}

interface Given {
  readonly prompt: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}
type Query = (given: Given) => AsyncGenerator<Message>;

async function readAll(messages: AsyncIterable<unknown>): Promise<Message[]> {
  const read: Message[] = [];
  for await (const message of messages) read.push(message as Message);
  return read;
}

/** A query that says one turn and nothing else. */
const oneTurn: Query = async function* () {
  yield* [init(), answer('msg_1', { requestId: 'req_1' }), result()];
};

function ofKind<K extends CapturedSpan['kind']>(
  spans: readonly CapturedSpan[],
  kind: K,
): Extract<CapturedSpan, { kind: K }>[] {
  return spans.filter((span): span is Extract<CapturedSpan, { kind: K }> => span.kind === kind);
}

const figures: Figures = { input: 5_500, output: 55, costUsd: 0.5 };
const now = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** A query whose child tells its own side of the turn over the loopback, and then goes. */
const withChild: Query = async function* ({ options }) {
  const child = new FakeChild(options);
  const cli = new CliRecords(now);
  const turn = cliId(1);
  const ids = { request_id: 'req_1' };
  await child.logs(cli.prompt(turn));
  yield* [init(), answer('msg_1', { requestId: 'req_1' }), result(figures)];
  await child.logs(cli.priced(turn, figures, ids));
  await child.spans(cli.call(turn, figures, ids), cli.interaction(0, turn));
  child.disconnect();
};

describe('a traced query', () => {
  test('is measured by what its child sends to the endpoints that it is given', async () => {
    const { tracing, spans } = start();
    await tracing.ready();
    await readAll(tracing.wrapQuery(withChild)({ prompt: 'hi', options: { env: { PATH: '/bin' } } }));
    await tracing.flush();
    expect(spans.map(({ kind }) => kind)).toEqual(['llm', 'agent']);
    expect(ofKind(spans, 'llm')[0]).toMatchObject({
      usage: { inputTokens: 5_500, outputTokens: 55 },
      costUsd: 0.5,
      costBasis: 'cli',
      seenBy: ['cli', 'sdk'],
      issues: [],
    });
    expect(ofKind(spans, 'agent')[0]).toMatchObject({ outcome: 'completed', issues: [], totals: { costUsd: 0.5 } });
    expect(tracing.stats()).toMatchObject({
      caught: 0,
      queries: { open: 0, settled: 1 },
      observations: { late: 0, duplicate: 0, unplaced: 0 },
    });
  });

  test('gives its child the trace to stand in, and everything of the user’s environment', async () => {
    const { tracing, spans } = start();
    await tracing.ready();
    let env: Record<string, string> = {};
    const query: Query = async function* ({ options }) {
      env = options?.['env'] as typeof env;
      yield* oneTurn({ prompt: '' });
    };
    await readAll(tracing.wrapQuery(query)({ prompt: 'hi', options: { env: { PATH: '/bin' } } }));
    await tracing.close(0);
    const [agent] = ofKind(spans, 'agent');
    expect(env['PATH']).toBe('/bin');
    expect(env['TRACEPARENT']).toBe(`00-${agent?.traceId}-${agent?.spanId}-01`);
  });

  test('goes on through a session whose exporter closes an idle connection', async () => {
    const { tracing, spans } = start();
    await tracing.ready();
    const query: Query = async function* ({ prompt, options }) {
      const child = new FakeChild(options);
      const cli = new CliRecords(now);
      let turn = 0;
      for await (const _ of prompt as AsyncIterable<unknown>) {
        const [span, ids] = [cliId(turn + 1), { request_id: `req_${turn}` }];
        await child.logs(cli.prompt(span), cli.priced(span, figures, ids));
        await child.spans(cli.call(span, figures, ids), cli.interaction(turn, span));
        yield* [init(), answer(`msg_${turn}`, { requestId: `req_${turn}` }), result(figures)];
        child.disconnect();
        await new Promise((resolve) => setTimeout(resolve, 50));
        turn += 1;
      }
    };
    const prompts = async function* () {
      for (let n = 0; n < 3; n += 1) yield { type: 'user', message: { role: 'user', content: `p${n}` } };
    };
    await readAll(tracing.wrapQuery(query)({ prompt: prompts(), options: { env: {} } }));
    await tracing.flush();
    expect(ofKind(spans, 'agent').map(({ outcome, llmCalls }) => [outcome, llmCalls])).toEqual([
      ['completed', 1],
      ['completed', 1],
      ['completed', 1],
    ]);
    expect(tracing.stats().observations.late).toBe(0);
  });

  test('whose CLI keeps silent makes the next one fall back on partial messages', async () => {
    const { tracing, spans } = start();
    await tracing.ready();
    const asked: (readonly [boolean, boolean])[] = [];
    const query: Query = async function* ({ options }) {
      asked.push([options?.['env'] !== undefined, options?.['includePartialMessages'] === true]);
      yield* oneTurn({ prompt: '' });
    };
    const wrapped = tracing.wrapQuery(query);
    await readAll(wrapped({ prompt: 'one' }));
    // Nothing will come, and there is no process whose end would say so.
    await tracing.flush(100);
    await readAll(wrapped({ prompt: 'two' }));
    expect(asked).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(ofKind(spans, 'agent')[0]?.issues.map(({ code }) => code)).toContain('telemetry_silent');
  });

  test('without telemetry shows the consumer no message that he did not ask for', async () => {
    const { tracing } = start({ cliTelemetry: 'off' });
    const query: Query = async function* ({ options }) {
      expect(options).toMatchObject({ includePartialMessages: true, forwardSubagentText: true });
      yield* [init(), { type: 'stream_event', event: {} }, answer('msg_1'), result()];
    };
    const read = await readAll(tracing.wrapQuery(query)({ prompt: 'hi' }));
    expect(read.map(({ type }) => type)).toEqual(['system', 'assistant', 'result']);
  });
});

describe('handlers of in-process tools', () => {
  interface Tool {
    readonly handler: (input: unknown, extra: unknown) => Promise<unknown>;
  }
  interface Server {
    readonly instance: object;
    readonly tools: readonly Tool[];
  }

  function setUp() {
    const active: SpanId[] = [];
    const spans: CapturedSpan[] = [];
    const sink: Sink = {
      name: 'live',
      spanStart: () => undefined,
      spanEnd: (span) => void spans.push(span),
      activate: (spanId, run) => {
        active.push(spanId);
        return run();
      },
      flush: async () => undefined,
      close: async () => undefined,
    };
    const { tracing } = start({ sinks: [sink], cliTelemetry: 'off' });
    const sdk = tracing.wrapSdk({
      createSdkMcpServer: ({ tools }: { name: string; tools: readonly Tool[] }): Server => ({ instance: {}, tools }),
      query: async function* ({ options }) {
        const [server] = Object.values(options?.['mcpServers'] as Record<string, Server>);
        yield* [init(), answer('msg_1', { blocks: [toolUse('toolu_1', 'mcp__files__read')] })];
        await server?.tools[0]?.handler({}, { _meta: { 'claudecode/toolUseId': 'toolu_1' } });
        yield result();
      } as Query,
    });
    const serve = (): Server => sdk.createSdkMcpServer({ name: 'files', tools: [{ handler: async () => 'ok' }] });
    return { tracing, sdk, serve, active, spans };
  }

  test('run inside the span of their own query’s call, though another has a call of that id', async () => {
    const { sdk, serve, active, spans } = setUp();
    const [a, b] = ['a', 'b'].map((prompt) => sdk.query({ prompt, options: { mcpServers: { files: serve() } } }));
    await Promise.all([readAll(a as AsyncIterable<unknown>), readAll(b as AsyncIterable<unknown>)]);
    const tools = ofKind(spans, 'tool');
    expect(tools).toHaveLength(2);
    expect(active.toSorted()).toEqual(tools.map(({ spanId }) => spanId).toSorted());
    expect(new Set(tools.map(({ traceId }) => traceId)).size).toBe(2);
  });

  test('run inside their span before the consumer has read that the tool was asked for', async () => {
    const { sdk, serve, active, spans } = setUp();
    const server = serve();
    const query = sdk.query({ prompt: 'hi', options: { mcpServers: { files: server } } });
    await query.next();
    await server.tools[0]?.handler({}, { _meta: { 'claudecode/toolUseId': 'toolu_1' } });
    expect(active).toHaveLength(1);
    await readAll(query);
    expect(ofKind(spans, 'tool').map(({ spanId, toolName }) => [spanId, toolName])).toEqual([
      [active[0], 'mcp__files__read'],
    ]);
  });
});

describe('flush()', () => {
  test('is not lost by another that ends sooner', async () => {
    const { tracing } = start();
    await tracing.ready();
    let child: FakeChild | undefined;
    const query: Query = async function* ({ options }) {
      child = new FakeChild(options);
      await child.logs(new CliRecords(now).prompt(cliId(1)));
      yield* oneTurn({ prompt: '' });
    };
    await readAll(tracing.wrapQuery(query)({ prompt: 'hi', options: { env: {} } }));
    const order: string[] = [];
    const long = tracing.flush(100_000).then(() => order.push(`long, ${tracing.stats().queries.open} open`));
    const short = tracing.flush(0).then(() => order.push('short'));
    await short;
    child?.disconnect();
    await long;
    expect(order).toContain('long, 0 open');
  });

  test('rejects when a sink does not deliver', async () => {
    const sink = { ...memorySink(), flush: async () => Promise.reject(new Error('lost 1 span')) };
    const { tracing } = start({ sinks: [sink], cliTelemetry: 'off' });
    await expect(tracing.flush()).rejects.toThrow('lost 1 span');
  });
});

describe('close()', () => {
  test('ends what is open; what comes after is late and makes no spans', async () => {
    const { tracing, spans } = start({ cliTelemetry: 'off' });
    const query = tracing.wrapQuery(async function* () {
      for (let n = 0; n < 3; n += 1) yield* oneTurn({ prompt: '' });
    } as Query)({ prompt: 'hi' });
    await query.next();
    await tracing.close();
    expect(ofKind(spans, 'agent').map(({ outcome }) => outcome)).toEqual(['crashed']);
    expect(await readAll(query)).toHaveLength(8);
    expect(spans).toHaveLength(1);
    expect(tracing.stats()).toMatchObject({ queries: { open: 0, settled: 1 }, observations: { late: 8 } });
  });

  test('leaves later queries alone', async () => {
    const { tracing, spans } = start({ cliTelemetry: 'off' });
    await tracing.close();
    let given: unknown;
    const query: Query = (handed) => {
      given = handed;
      return oneTurn(handed);
    };
    const own = { prompt: 'hi' };
    expect(await readAll(tracing.wrapQuery(query)(own))).toHaveLength(3);
    expect(given).toBe(own);
    expect(spans).toEqual([]);
  });

  test('never rejects, and says what was not delivered', async () => {
    const sink = { ...memorySink(), close: async () => Promise.reject(new Error('lost 1 span')) };
    const { tracing, told } = start({ sinks: [sink], cliTelemetry: 'off' });
    await tracing.close();
    expect(told).toEqual([expect.stringContaining('lost 1 span')]);
  });

  test('is what `await using` calls', async () => {
    let wasClosed = false;
    {
      await using tracing = createTracing({
        sinks: [{ ...memorySink(), close: async () => void (wasClosed = true) }],
        cliTelemetry: 'off',
      });
      expect(tracing.stats().caught).toBe(0);
    }
    expect(wasClosed).toBe(true);
  });
});

describe('faults of others', () => {
  test('in a sink, thrown or rejected, reach neither the program nor the other sinks', async () => {
    const sound = memorySink();
    const fail = (): never => {
      throw new Error('of the sink');
    };
    const broken: Sink = { ...memorySink({ name: 'broken' }), spanStart: fail, spanEnd: async () => fail() };
    const { tracing } = start({ sinks: [broken, sound], cliTelemetry: 'off' });
    await readAll(tracing.wrapQuery(oneTurn)({ prompt: 'hi' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sound.spans.map(({ kind }) => kind)).toEqual(['llm', 'agent']);
    expect(tracing.stats().caught).toBeGreaterThanOrEqual(4);
  });

  test('in the configuration are told at once', () => {
    expect(() => createTracing({ sinks: [], captrue: 'full' } as unknown as TracingOptions)).toThrow(
      ConfigurationError,
    );
  });
});

describe('a child that was started ahead', () => {
  test.each(['startup', 'prewarm'] as const)('by %s() stands where it is claimed', async (name) => {
    const { tracing, spans } = start({ cliTelemetry: 'off' });
    const spare = { query: () => oneTurn({ prompt: '' }), claim: () => oneTurn({ prompt: '' }) };
    const sdk = tracing.wrapSdk({ [name]: async (options: object) => ({ ...spare, options }) });
    const warm = await tracing.withAttributes({ userId: 'nobody' }, async () => sdk[name]?.({}));
    await tracing.withAttributes({ userId: 'ada' }, () =>
      tracing.span('job', async () => {
        const claim = name === 'startup' ? 'query' : 'claim';
        const started = Reflect.get(warm ?? {}, claim) as (prompt: unknown) => AsyncIterable<unknown>;
        await readAll(started('hi'));
      }),
    );
    const [step] = ofKind(spans, 'custom');
    expect(ofKind(spans, 'agent')[0]).toMatchObject({
      attributes: { 'user.id': 'ada' },
      parentSpanId: step?.spanId,
      traceId: step?.traceId,
    });
  });
});

describe('queries inside tracing.span() and withAttributes()', () => {
  test('stand there, and beside each other apart', async () => {
    const { tracing, spans } = start({ cliTelemetry: 'off', attributes: { team: 'a' } });
    const wrapped = tracing.wrapQuery(oneTurn);
    await tracing.span('job', async () =>
      tracing.withAttributes({ n: 1 }, async () => readAll(wrapped({ prompt: 'inside' }))),
    );
    await readAll(wrapped({ prompt: 'outside' }));
    const [step] = ofKind(spans, 'custom');
    const [inside, outside] = ofKind(spans, 'agent');
    expect(inside).toMatchObject({ parentSpanId: step?.spanId, attributes: { team: 'a', n: 1 } });
    expect(outside).toMatchObject({ attributes: { team: 'a' } });
    expect(outside).not.toHaveProperty('parentSpanId');
    expect(outside?.traceId).not.toBe(inside?.traceId);
  });
});

describe('a query that was aborted', () => {
  test('is told from one that failed', async () => {
    const { tracing, spans } = start({ cliTelemetry: 'off' });
    const query: Query = async function* () {
      yield init();
      throw new Error('stopped');
    };
    const abortController = new AbortController();
    const wrapped = tracing.wrapQuery(query);
    await expect(readAll(wrapped({ prompt: 'hi', options: { abortController } }))).rejects.toThrow('stopped');
    abortController.abort();
    await expect(readAll(wrapped({ prompt: 'hi', options: { abortController } }))).rejects.toThrow('stopped');
    expect(ofKind(spans, 'agent').map(({ outcome, status }) => [outcome, status])).toEqual([
      ['crashed', 'error'],
      ['aborted', 'cancelled'],
    ]);
  });
});
