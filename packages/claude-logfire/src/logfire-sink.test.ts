import { createTracing, type Sink } from '@spanprism/core';
import { type Collector, hostOf, mockSdk, openRecording, recordedScenarios, startCollector } from '@spanprism/testkit';
import { agent, llm, tool, traceId } from '@spanprism/testkit/samples';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { records, recordsFull, running, startFakeLogfire } from './__fixtures__/fake-logfire.ts';
import { logfireSink, type LogfireSinkOptions } from './logfire-sink.ts';

const TOKEN = 'pylf_v1_us_0123456789abcdef';
const DEADLINE_MS = 5000;

let logfire: Collector;
let said: string[];
const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);

beforeEach(async () => {
  logfire = await startFakeLogfire(TOKEN);
  said = [];
});

afterEach(() => logfire.close());

const sinkTo = (options: LogfireSinkOptions = {}): Sink =>
  logfireSink({ token: TOKEN, baseUrl: logfire.url, environment: {}, diag, ...options });

describe('what is sent', () => {
  test('goes to the path for traces, with the token alone and who sends', async () => {
    const sink = logfireSink({
      environment: {
        LOGFIRE_TOKEN: TOKEN,
        LOGFIRE_BASE_URL: `${logfire.url}/`,
        LOGFIRE_SERVICE_NAME: 'reviewer',
        LOGFIRE_SERVICE_VERSION: '1.2.3',
        LOGFIRE_ENVIRONMENT: 'staging',
        OTEL_SERVICE_NAME: 'other',
        OTEL_RESOURCE_ATTRIBUTES: 'team=a',
      },
    });
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await sink.close(DEADLINE_MS);
    expect(logfire.requests[0]).toMatchObject({ path: '/v1/traces', headers: { authorization: TOKEN } });
    expect(logfire.spans()[0]?.resource).toMatchObject({ 'service.version': '1.2.3', team: 'a' });
    const [record] = records(logfire.spans());
    expect(record).toMatchObject({ serviceName: 'reviewer', deploymentEnvironment: 'staging' });
    expect(record?.scopeName).toBe('@spanprism/claude-logfire');
  });

  test('is said in code before the environment', async () => {
    const environment = { LOGFIRE_TOKEN: 'other', LOGFIRE_BASE_URL: 'http://127.0.0.1:1', LOGFIRE_SERVICE_NAME: 'b' };
    const sink = sinkTo({ environment, serviceName: 'a', deploymentEnvironment: 'prod' });
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await sink.close(DEADLINE_MS);
    expect(records(logfire.spans())[0]).toMatchObject({ serviceName: 'a', deploymentEnvironment: 'prod' });
  });

  test('is the share of traces that was asked for', async () => {
    const sink = sinkTo({ environment: { LOGFIRE_TRACE_SAMPLE_RATE: '0.5' } });
    sink.spanStart?.(agent({ id: 1, ms: [0, 1], traceId: traceId(1) }));
    sink.spanEnd(agent({ id: 1, ms: [0, 1], traceId: traceId(1) }));
    await sink.close(DEADLINE_MS);
    expect(logfire.requests).toEqual([]);
    expect(sink.stats?.().dropped).toEqual({ sampled_out: 1 });
  });

  test.each<Record<string, string>>([
    { LOGFIRE_SEND_TO_LOGFIRE: 'false', LOGFIRE_TOKEN: TOKEN },
    { LOGFIRE_SEND_TO_LOGFIRE: 'if-token-present' },
    { OTEL_SDK_DISABLED: 'true' },
  ])('is nothing with %o', async (environment) => {
    const sink = logfireSink({ environment, baseUrl: logfire.url, diag });
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await sink.close(DEADLINE_MS);
    expect(logfire.requests).toEqual([]);
    expect(sink.stats?.().dropped).toEqual({ sdk_disabled: 1 });
  });

  test('holds what the policy of the sink lets out', () => {
    expect(sinkTo({ capture: 'full' }).capture).toBe('full');
    expect(sinkTo()).not.toHaveProperty('capture');
  });
});

/** Where a sink would send, told by what it says of a host that nobody is at. */
async function placeOf(token: string): Promise<string> {
  const hosts: string[] = [];
  const sink = logfireSink({ token, environment: {}, diag: (_, message) => void hosts.push(message), timeoutMs: 1 });
  sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
  await sink.close(50).catch((error: unknown) => hosts.push(String(error)));
  return /https:\/\/[\w.-]+/.exec(hosts.join(' '))?.[0] ?? hosts.join('\n');
}

describe('the region', () => {
  // What Logfire's SDKs make of tokens.
  test.each([
    ['pylf_v1_us_0123456789abcdef', 'https://logfire-us.pydantic.dev'],
    ['pylf_v1_eu_0123456789abcdef', 'https://logfire-eu.pydantic.dev'],
    ['pylf_v2_eu_01234567-89ab-4def-8123-456789abcdef_abc', 'https://logfire-eu.pydantic.dev'],
    ['pylf_v1_stagingeu_0123456789abcdef', 'https://logfire-eu.pydantic.info'],
    ['0123456789abcdefOfTheOldSort', 'https://logfire-us.pydantic.dev'],
  ])('of %s is at %s', async (token, host) => {
    expect(await placeOf(token)).toBe(host);
  });

  test('that nobody knows is the US, and one line says so', async () => {
    logfireSink({ token: 'pylf_v1_mars_0123456789abcdef', environment: {}, diag });
    expect(said).toEqual([
      'warn: logfire: the token (from the option token) is of the region "mars", which is not known here: sending to the US. Set LOGFIRE_BASE_URL.',
    ]);
  });

  test('of the token and that of the base URL have to be one', () => {
    const environment = { LOGFIRE_TOKEN: TOKEN, LOGFIRE_BASE_URL: 'https://logfire-eu.pydantic.dev' };
    logfireSink({ environment, diag });
    expect(said).toEqual([
      'warn: logfire: the token (from env LOGFIRE_TOKEN) is of the region "us", but env LOGFIRE_BASE_URL says "eu", which will not take it. Leave one of them out.',
    ]);
  });

  test('of a Logfire of one’s own is none of ours', () => {
    sinkTo();
    expect(said).toEqual([]);
  });
});

describe('what it cannot work with', () => {
  test.each<[string, LogfireSinkOptions]>([
    ['Logfire has no token (from env LOGFIRE_TOKEN). Set LOGFIRE_TOKEN', { environment: {} }],
    ['the token begins with "Bearer" (from the option token)', { token: `Bearer ${TOKEN}` }],
    ['has a character that no token has (from env LOGFIRE_TOKEN)', { environment: { LOGFIRE_TOKEN: `${TOKEN} x` } }],
    ['has a character that no token has (from env LOGFIRE_TOKEN)', { environment: { LOGFIRE_TOKEN: `"${TOKEN}"` } }],
    [
      'is no URL that can be posted to (from env LOGFIRE_BASE_URL)',
      { environment: { LOGFIRE_BASE_URL: 'logfire-eu' } },
    ],
    [
      'ends in the path of a signal (from the option baseUrl)',
      { baseUrl: 'https://logfire-us.pydantic.dev/v1/traces' },
    ],
    ['"half" is no ratio (from env LOGFIRE_TRACE_SAMPLE_RATE)', { environment: { LOGFIRE_TRACE_SAMPLE_RATE: 'half' } }],
  ])('%s', (message, options) => {
    const given = options.environment?.['LOGFIRE_TOKEN'] === undefined && options.environment === undefined;
    const token = given || message.includes('LOGFIRE_BASE') || message.includes('RATE') ? { token: TOKEN } : {};
    expect(() => logfireSink({ environment: {}, ...token, ...options })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringContaining(message) as string }),
    );
  });

  test('never shows the token', () => {
    expect(() => logfireSink({ token: `Bearer ${TOKEN}` })).not.toThrow(TOKEN);
  });
});

describe('a Logfire that does not take it', () => {
  test('for its token says where the token came from, and what a right one is', async () => {
    const sink = logfireSink({
      environment: { LOGFIRE_TOKEN: 'pylf_v1_eu_ofanotherregion', LOGFIRE_BASE_URL: logfire.url },
      diag,
    });
    sink.spanStart?.(agent({ id: 1, ms: [0, 1] }));
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('401');
    const lines = said.filter((line) => !line.startsWith('debug'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('401');
    expect(lines[0]).toContain('Check the token (from env LOGFIRE_TOKEN): it must be a write token of this project');
    expect(lines[0]).toContain(`${logfire.url} was chosen by env LOGFIRE_BASE_URL`);
    expect(said.join('\n')).not.toContain('ofanotherregion');
    expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { http_401: 1 } });
    await sink.close(DEADLINE_MS);
  });

  test('for the size of one span says so once', async () => {
    logfire.behave({ kind: 'status', status: 413 });
    const sink = sinkTo();
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await expect(sink.flush(DEADLINE_MS)).rejects.toThrow('413');
    expect(said).toEqual([expect.stringMatching(/413.*capture less content or cut it shorter/i)]);
    expect(sink.stats?.().dropped).toEqual({ too_large: 1 });
    await sink.close(DEADLINE_MS);
  });

  test('because nobody is there is told in one line, and throws nothing into the program', async () => {
    const gone = await startCollector();
    await gone.close();
    const sink = sinkTo({ baseUrl: gone.url });
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await expect(sink.flush(200)).rejects.toThrow(/1 record/);
    const lines = said.filter((line) => !line.startsWith('debug'));
    expect(lines).toEqual([expect.stringContaining('ECONNREFUSED')]);
    await sink.close(50).catch(() => undefined);
    expect(Object.values(sink.stats?.().dropped ?? {})).toEqual([1]);
  });
});

describe('the live view', () => {
  test('shows what runs, below what it runs in, until it has ended', async () => {
    const sink = sinkTo();
    const turn = agent({ id: 1, ms: [0, 9] });
    const call = tool({ id: 2, parent: 1, ms: [1, 5] });
    for (const { endedAt: _, ...begun } of [turn, call]) sink.spanStart?.(begun as typeof turn);
    await sink.flush(DEADLINE_MS);
    const shown = (): readonly unknown[] =>
      running(recordsFull(logfire.spans())).map(({ message, spanId, parentSpanId }) => [message, spanId, parentSpanId]);
    expect(shown()).toEqual([
      ['Agent claude', turn.spanId, undefined],
      ['Tool Bash', call.spanId, turn.spanId],
    ]);
    sink.spanEnd(call);
    await sink.flush(DEADLINE_MS);
    expect(shown()).toEqual([['Agent claude', turn.spanId, undefined]]);
    sink.spanEnd(turn);
    await sink.close(DEADLINE_MS);
    expect(shown()).toEqual([]);
    expect(sink.stats?.()).toEqual({ delivered: 2, queued: 0, dropped: {} });
  });

  test('takes no room from what has ended, and costs no flush', async () => {
    logfire.behave({ kind: 'status', status: 400 }, { when: ({ body }) => body.includes('pending_span') });
    const sink = sinkTo({ compression: 'none' });
    sink.spanStart?.(agent({ id: 1, ms: [0, 1] }));
    sink.spanEnd(llm({ id: 2, ms: [0, 1] }));
    await sink.flush(DEADLINE_MS);
    expect(said.filter((line) => !line.startsWith('debug'))).toEqual([]);
    expect(sink.stats?.()).toEqual({ delivered: 1, queued: 0, dropped: {} });
    await sink.close(DEADLINE_MS);
  });

  test('of a query has every span as running first, in its place of the tree', async () => {
    const tracing = createTracing({ sinks: [sinkTo()], diag });
    await tracing.ready();
    const recording = openRecording('subagent-one');
    const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
    await hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} }, timeScale: 1 });
    await tracing.close();
    const all = recordsFull(logfire.spans());
    const done = all.filter(({ kind }) => kind === 'span');
    const begun = all.filter(({ kind }) => kind === 'pending_span');
    expect(done.length).toBeGreaterThan(4);
    expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(1);
    expect(begun.map(({ parentSpanId }) => parentSpanId).toSorted()).toEqual(
      done.map(({ spanId }) => spanId).toSorted(),
    );
    for (const { parentSpanId, attributes } of begun) {
      const span = done.find(({ spanId }) => spanId === parentSpanId);
      expect(attributes['logfire.pending_parent_id']).toBe(span?.parentSpanId ?? '0'.repeat(16));
    }
    expect(tracing.stats().sinks['logfire']).toEqual({ delivered: done.length, queued: 0, dropped: {} });
    expect(said).toEqual([]);
  });
});
