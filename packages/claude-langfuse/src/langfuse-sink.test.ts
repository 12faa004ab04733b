import { applyCapture, ConfigurationError, resolveCapture, type Sink } from '@spanprism/core';
import { type Collector, hostOf, mockSdk, openRecording, recordedScenarios } from '@spanprism/testkit';
import { agent, llm, SAMPLE_TRACES, tool, traceId } from '@spanprism/testkit/samples';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observations, PUBLIC_KEY, SECRET_KEY, startFakeLangfuse } from './__fixtures__/fake-langfuse.ts';
import { langfuseCallback } from './langfuse-callback.ts';
import { langfuseSink, type LangfuseSinkOptions } from './langfuse-sink.ts';

const DEADLINE_MS = 5000;
const keys = { LANGFUSE_PUBLIC_KEY: PUBLIC_KEY, LANGFUSE_SECRET_KEY: SECRET_KEY };

let langfuse: Collector;
let said: string[];
const diag = (level: string, message: string): void => void said.push(`${level}: ${message}`);

beforeEach(async () => {
  langfuse = await startFakeLangfuse();
  said = [];
});

afterEach(() => langfuse.close());

const sinkTo = ({ env, ...options }: LangfuseSinkOptions = {}): Sink =>
  langfuseSink({ env: { ...keys, LANGFUSE_BASE_URL: langfuse.url, ...env }, diag, ...options });

describe('what is sent', () => {
  test('goes to the OTLP path with keys and ingestion version, and claims to be no SDK of Langfuse', async () => {
    const sink = sinkTo({ env: { LANGFUSE_BASE_URL: `${langfuse.url}/` } });
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await sink.close(DEADLINE_MS);
    const [request] = langfuse.requests;
    expect(request).toMatchObject({
      path: '/api/public/otel/v1/traces',
      protocol: 'http/protobuf',
      headers: {
        authorization: `Basic ${btoa(`${PUBLIC_KEY}:${SECRET_KEY}`)}`,
        'x-langfuse-ingestion-version': '4',
        'content-encoding': 'gzip',
      },
    });
    expect(request?.headers).not.toHaveProperty('x-langfuse-sdk-name');
    expect(sink.stats?.()).toEqual({ delivered: 1, queued: 0, dropped: {} });
    expect(said).toEqual([]);
  });

  test('says environment and release, in code before the environment', async () => {
    const env = {
      LANGFUSE_TRACING_ENVIRONMENT: 'staging',
      LANGFUSE_RELEASE: 'v1',
      LANGFUSE_BASE_URL: 'http://127.0.0.1:1',
    };
    const first = sinkTo({ env: { ...env, LANGFUSE_BASE_URL: langfuse.url } });
    const second = sinkTo({ env, baseUrl: langfuse.url, environment: 'prod', release: 'v2' });
    for (const sink of [first, second]) {
      sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
      await sink.close(DEADLINE_MS);
    }
    expect(observations(langfuse.spans()).map(({ environment, release }) => [environment, release])).toEqual([
      ['staging', 'v1'],
      ['prod', 'v2'],
    ]);
    expect(langfuse.spans()[0]?.resource).toMatchObject({ 'service.name': 'claude-agents' });
  });

  test('is the share of traces that was asked for', async () => {
    const sink = sinkTo({ env: { LANGFUSE_SAMPLE_RATE: '0.5' } });
    sink.spanEnd(agent({ id: 1, ms: [0, 1], traceId: traceId(1) }));
    await sink.close(DEADLINE_MS);
    expect(sink.stats?.()).toEqual({ delivered: 0, queued: 0, dropped: { sampled_out: 1 } });
  });

  test.each([{ LANGFUSE_TRACING_ENABLED: 'false' }, { OTEL_SDK_DISABLED: 'true' }])(
    'is nothing with %j',
    async (off) => {
      const sink = langfuseSink({ env: off });
      sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
      await sink.close(DEADLINE_MS);
      expect(sink.stats?.()).toMatchObject({ delivered: 0, dropped: { sdk_disabled: 1 } });
    },
  );

  test('holds no content unless that is asked for', async () => {
    const policy = resolveCapture(undefined, { environment: {} });
    const sink = sinkTo();
    for (const span of Object.values(SAMPLE_TRACES).flat()) sink.spanEnd(applyCapture(span, policy));
    await sink.close(DEADLINE_MS);
    for (const { input, output } of observations(langfuse.spans()))
      expect([input, output]).toEqual([undefined, undefined]);
    const sent = langfuse.bytes().toString('utf8');
    for (const words of ['Köln', 'careful engineer', 'Once upon a', 'rm -rf', 'not on my machine', '/srv/app', 'Grey.'])
      expect(sent).not.toContain(words);
  });
});

describe('a value that cannot be worked with is refused, with where it came from and what to do', () => {
  const refused = (options: LangfuseSinkOptions): string => {
    try {
      sinkTo(options);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      const { message } = error as Error;
      expect(message).not.toMatch(/11111111|22222222/);
      return message;
    }
    return 'nothing was refused';
  };

  test.each([
    [
      { env: { LANGFUSE_PUBLIC_KEY: '' } },
      'Langfuse has no public key (from env LANGFUSE_PUBLIC_KEY). Set LANGFUSE_PUBLIC_KEY or the option publicKey, from Settings → API Keys of your Langfuse project.',
    ],
    [
      { env: { LANGFUSE_SECRET_KEY: undefined } },
      'Langfuse has no secret key (from env LANGFUSE_SECRET_KEY). Set LANGFUSE_SECRET_KEY or the option secretKey, from Settings → API Keys of your Langfuse project.',
    ],
    [
      { publicKey: SECRET_KEY },
      /^the public key is a secret one \(from the option publicKey\)\. Set LANGFUSE_PUBLIC_KEY/,
    ],
    [
      { secretKey: PUBLIC_KEY },
      /^the secret key is a public one \(from the option secretKey\)\. Set LANGFUSE_SECRET_KEY/,
    ],
    [{ secretKey: `${SECRET_KEY}\n` }, /^the secret key has a blank, .*\(from the option secretKey\)/],
    [{ env: { LANGFUSE_SECRET_KEY: `"${SECRET_KEY}"` } }, /, a quote or .*\(from env LANGFUSE_SECRET_KEY\)/],
    [{ baseUrl: 'cloud.langfuse.com' }, /is no URL .*\(from the option baseUrl\)/],
    [
      { env: { LANGFUSE_BASE_URL: 'https://cloud.langfuse.com/api/public/otel' } },
      'the base URL has the path of the API already (from env LANGFUSE_BASE_URL). Give where Langfuse itself is, e.g. https://us.cloud.langfuse.com; the path of its API is appended.',
    ],
    [
      { environment: 'Production' },
      '"Production" is no environment that Langfuse takes (from the option environment). Use up to 40 lower-case letters, digits, - and _, and do not begin with "langfuse".',
    ],
    [{ env: { LANGFUSE_TRACING_ENVIRONMENT: 'langfuse-eu' } }, /\(from env LANGFUSE_TRACING_ENVIRONMENT\)/],
    [{ env: { LANGFUSE_SAMPLE_RATE: '10%' } }, /^"10%" is no ratio \(from env LANGFUSE_SAMPLE_RATE\)/],
  ] satisfies readonly (readonly [LangfuseSinkOptions, string | RegExp])[])('%j', (options, message) => {
    expect(refused(options)).toMatch(message);
  });
});

describe('a backend that takes nothing', () => {
  const failing = async (options: LangfuseSinkOptions): Promise<Sink> => {
    const sink = sinkTo(options);
    sink.spanEnd(agent({ id: 1, ms: [0, 1] }));
    await expect(sink.close(300)).rejects.toThrow(/langfuse/);
    return sink;
  };
  const baseOf = (): string => `http://127.0.0.1:${langfuse.port}`;

  test('because the keys are those of another region or project: one line, and a count', async () => {
    const sink = await failing({ secretKey: 'sk-lf-33333333' });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('401');
    expect(said[0]).toContain(
      `Check the keys (the public one is from env LANGFUSE_PUBLIC_KEY): both must be of one project in the region at ${baseOf()} (from env LANGFUSE_BASE_URL). Keys of another region are unknown there: set LANGFUSE_BASE_URL to theirs.`,
    );
    expect(said[0]).not.toMatch(/33333333|22222222|Basic/);
    expect(Object.values(sink.stats?.().dropped ?? {})).toEqual([1]);
  });

  test.each([
    [404, `Is Langfuse at `],
    [413, 'larger than the backend takes'],
  ])('with %i: one line with what to do', async (status, words) => {
    langfuse.behave({ kind: 'status', status });
    const sink = await failing({});
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(String(status));
    expect(said[0]).toContain(words);
    expect(Object.values(sink.stats?.().dropped ?? {})).toEqual([1]);
  });

  test('because nothing listens there: one line with where it was looked for', async () => {
    await failing({ env: { LANGFUSE_BASE_URL: 'http://127.0.0.1:1' } });
    expect(said.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
    expect(said.join('\n')).toContain('Is Langfuse at http://127.0.0.1:1 (from env LANGFUSE_BASE_URL)?');
  });
});

describe('the callback', () => {
  test('traces the SDK into Langfuse, with what was said of its traces on every observation', async () => {
    const recording = openRecording('foreground-subagent');
    const tracing = langfuseCallback({
      publicKey: PUBLIC_KEY,
      secretKey: SECRET_KEY,
      baseUrl: langfuse.url,
      env: {},
      userId: 'ada',
      sessionId: 'chat-7',
      tags: ['nightly'],
      metadata: { plan: 'pro' },
      agentName: 'guide',
      diag,
    });
    await tracing.ready();
    const sdk = mockSdk({ scenarios: recordedScenarios(recording), timeScale: 1 });
    await hostOf(recording, tracing.wrapSdk(sdk), { options: { env: {} }, timeScale: 1 });
    await Promise.all(sdk.calls.map(({ exited }) => exited));
    await tracing.close();
    const run = observations(langfuse.spans());
    expect(new Set(run.map(({ traceId: id }) => id)).size).toBe(1);
    for (const one of run) {
      expect(one).toMatchObject({ userId: 'ada', sessionId: 'chat-7', tags: ['nightly'] });
      expect(one.metadata).toMatchObject({ plan: 'pro' });
    }
    const count = (type: string): number => run.filter((one) => one.type === type).length;
    expect([count('AGENT'), count('TOOL') > 0, count('GENERATION') > 2]).toEqual([2, true, true]);
    expect(run.find(({ parentId }) => parentId === undefined)).toMatchObject({ type: 'AGENT', name: 'guide' });
    expect(said).toEqual([]);
  });

  test('says at once what is wrong with its options', () => {
    expect(() => langfuseCallback({ env: {} })).toThrow(ConfigurationError);
  });
});

test('a program that has a tool of its own hears nothing of a sink that is closed', async () => {
  const sink = sinkTo();
  await sink.close(DEADLINE_MS);
  sink.spanEnd(tool({ id: 3, ms: [0, 1] }));
  sink.spanEnd(llm({ id: 2, ms: [0, 1] }));
  expect(Object.values(sink.stats?.().dropped ?? {})).toEqual([2]);
});
