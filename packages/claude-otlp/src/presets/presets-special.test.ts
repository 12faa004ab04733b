import type { Sink } from '@spanprism/core';
import { startCollector } from '@spanprism/testkit';
import type { Collector } from '@spanprism/testkit';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeInternet } from '../__fixtures__/fake-internet.ts';
import * as presets from '../index.ts';
import { signV4 } from './sigv4.ts';

let backend: Collector;
beforeEach(async () => {
  backend = await startCollector();
});
afterEach(() => backend.close());

const quiet = (): void => undefined;
async function deliver(sink: Sink, ...spans: readonly Parameters<Sink['spanEnd']>[0][]): Promise<void> {
  for (const span of spans) sink.spanEnd(span);
  await sink.close(5000);
}

describe('X-Ray', () => {
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'sesame',
    AWS_SESSION_TOKEN: 'st',
  };

  test('each request carries a signature of what is really sent', async () => {
    await using internet = await fakeInternet();
    await deliver(presets.awsXray({ environment, diag: quiet }), llm({ id: 1, ms: [0, 1] }));
    const [request] = internet.requests();
    expect(request?.url).toBe('https://xray.eu-central-1.amazonaws.com/v1/traces');
    const { headers = {}, raw } = request ?? {};
    const date = headers['x-amz-date'] ?? '';
    const at = new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
    expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(60_000);
    const again = signV4(
      {
        method: 'POST',
        url: new URL(request?.url ?? ''),
        headers: { 'content-type': 'application/x-protobuf' },
        body: raw ?? Buffer.alloc(0),
      },
      { accessKeyId: 'AKID', secretAccessKey: 'sesame', sessionToken: 'st' },
      { region: 'eu-central-1', service: 'xray', at },
    );
    expect(headers).toMatchObject(again);
    expect(headers['authorization']).toContain('SignedHeaders=content-type;host;x-amz-date;x-amz-security-token');
  });

  test('a provider of keys is asked for every request, and China has addresses of its own', async () => {
    await using internet = await fakeInternet();
    let asked = 0;
    const credentials = () => Promise.resolve({ accessKeyId: `AKID${(asked += 1)}`, secretAccessKey: 's' });
    const sink = presets.awsXray({ environment: {}, region: 'cn-north-1', credentials, diag: quiet });
    sink.spanEnd(llm({ id: 1, ms: [0, 1] }));
    await sink.flush(5000);
    await deliver(sink, llm({ id: 2, ms: [0, 1] }));
    expect(
      internet
        .requests()
        .map(({ url, headers }) => [url, /Credential=(\w+)/.exec(headers['authorization'] ?? '')?.[1]]),
    ).toEqual([
      ['https://xray.cn-north-1.amazonaws.com.cn/v1/traces', 'AKID1'],
      ['https://xray.cn-north-1.amazonaws.com.cn/v1/traces', 'AKID2'],
    ]);
  });

  test('keys that cannot be had are one line, and the spans wait', async () => {
    const said: string[] = [];
    const sink = presets.awsXray({
      environment: {},
      region: 'eu-central-1',
      credentials: () => Promise.reject(new Error('no role here')),
      diag: (_, message) => void said.push(message),
    });
    sink.spanEnd(llm({ id: 1, ms: [0, 1] }));
    await expect(sink.flush(100)).rejects.toThrow('aws-xray');
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('could not be signed (no role here)');
    expect(sink.stats?.().queued).toBe(1);
    await sink.close(10).catch(quiet);
  });
});

describe('Datadog', () => {
  test('an Agent is sent to where one is named and no key is there', async () => {
    const sink = presets.datadog({
      environment: { DD_SERVICE: 'bot' },
      agentHost: 'x',
      url: `${backend.url}/v1/traces`,
      diag: quiet,
    });
    await deliver(sink, llm({ id: 1, ms: [0, 1] }));
    expect(backend.requests[0]?.headers).not.toHaveProperty('dd-api-key');
    expect(backend.spans()[0]?.resource).toMatchObject({ 'service.name': 'bot' });
    expect(() => presets.datadog({ environment: { DD_AGENT_HOST: 'agent.local' } })).not.toThrow();
  });

  test('a government site, which has no LLM Observability, is not asked for it', async () => {
    await using internet = await fakeInternet();
    const site = 'ddog-gov.com';
    await deliver(presets.datadog({ apiKey: 'd', site, environment: {}, diag: quiet }), llm({ id: 1, ms: [0, 1] }));
    const [request] = internet.requests();
    expect(request?.url).toBe('https://otlp.ddog-gov.com/v1/traces');
    expect(request?.headers).not.toHaveProperty('dd-otlp-source');
  });

  test('LLM Observability can be left out', async () => {
    const sink = presets.datadog({
      environment: { DD_API_KEY: 'k' },
      llmObs: false,
      url: `${backend.url}/v1/traces`,
      diag: quiet,
    });
    await deliver(sink, llm({ id: 1, ms: [0, 1] }));
    expect(backend.requests[0]?.headers).toMatchObject({ 'dd-api-key': 'k' });
    expect(backend.requests[0]?.headers).not.toHaveProperty('dd-otlp-source');
  });
});

const LONG = 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. '.repeat(5000);
const question = (text: string) => ({ role: 'user' as const, content: [{ type: 'text' as const, text }] });

describe('what a backend does not take', () => {
  const long = llm({
    id: 1,
    ms: [0, 1],
    input: [question('old'), question(LONG), question('The latest.')],
    output: [question(LONG)],
  });

  test('New Relic: texts of 4,095 characters and lists of 64 items, and the messages are still JSON', async () => {
    const sink = presets.newRelic({
      environment: { NEW_RELIC_LICENSE_KEY: 'k' },
      url: `${backend.url}/v1/traces`,
      diag: quiet,
    });
    const toolNames = Array.from({ length: 100 }, (_, index) => `tool-${index}`);
    await deliver(sink, long, agent({ id: 2, ms: [0, 1], toolNames }));
    const [call, turn] = backend.spans().map(({ attributes }) => attributes);
    for (const value of Object.values(call ?? {})) expect(String(value).length).toBeLessThanOrEqual(4095);
    const messages = JSON.parse(String(call?.['gen_ai.input.messages'])) as readonly {
      readonly parts: readonly { readonly content: string }[];
    }[];
    expect(messages.at(-1)?.parts[0]?.content).toBe('The latest.');
    expect(call?.['claude.cut_attributes']).toEqual(['gen_ai.input.messages', 'gen_ai.output.messages']);
    expect(turn?.['claude.tool_names']).toHaveLength(64);
    expect(turn?.['claude.cut_attributes']).toEqual(['claude.tool_names']);
  });

  test('X-Ray: 200 kB a span', async () => {
    const sink = presets.awsXray({
      region: 'eu-central-1',
      credentials: () => ({ accessKeyId: 'a', secretAccessKey: 's' }),
      environment: {},
      url: `${backend.url}/v1/traces`,
      compression: 'none',
      diag: quiet,
    });
    await deliver(sink, long);
    expect(backend.requests[0]?.raw.length).toBeLessThan(201_000);
    expect(backend.requests[0]?.raw.length).toBeGreaterThan(80_000);
    const output = JSON.parse(String(backend.spans()[0]?.attributes['gen_ai.output.messages'])) as unknown;
    expect(JSON.stringify(output)).toContain('Boxkämpfer');
  });

  test('Elastic: texts of 1,024 bytes for an APM server, which keeps them as keywords, and for no other', async () => {
    for (const ELASTIC_API_KEY of ['', 'key']) {
      const environment = { ELASTIC_OTLP_ENDPOINT: backend.url, ELASTIC_APM_SECRET_TOKEN: 'token', ELASTIC_API_KEY };
      await deliver(presets.elastic({ environment, diag: quiet }), tool({ id: 3, ms: [0, 1], output: LONG }));
    }
    const [cut, whole] = backend.spans().map(({ attributes }) => String(attributes['gen_ai.tool.call.result']));
    expect(Buffer.byteLength(cut ?? '')).toBeLessThanOrEqual(1024);
    expect(whole).toBe(LONG);
  });

  test('Tempo: texts of 2,048 bytes, unless told that yours takes more', async () => {
    for (const limits of [{}, { maxTextBytes: 1_000_000 }]) {
      const sink = presets.tempo({ environment: {}, endpoint: backend.url, limits, diag: quiet });
      await deliver(sink, tool({ id: 3, ms: [0, 1], output: LONG }));
    }
    const [cut, whole] = backend.spans().map(({ attributes }) => String(attributes['gen_ai.tool.call.result']));
    expect(Buffer.byteLength(cut ?? '')).toBeLessThanOrEqual(2048);
    expect(LONG.startsWith(cut?.slice(0, -1) ?? 'x')).toBe(true);
    expect(whole).toBe(LONG);
  });
});

test('Sentry’s sample rate decides over whole traces', async () => {
  const environment = { SENTRY_DSN: 'https://k@o1.ingest.sentry.io/1', SENTRY_TRACES_SAMPLE_RATE: '0' };
  const sink = presets.sentryOtlp({ environment, url: `${backend.url}/v1/traces`, diag: quiet });
  await deliver(sink, llm({ id: 1, ms: [0, 1] }));
  expect(sink.stats?.().dropped).toEqual({ sampled_out: 1 });
  const all = presets.sentryOtlp({ environment, tracesSampleRate: 1, url: `${backend.url}/v1/traces`, diag: quiet });
  await deliver(all, llm({ id: 1, ms: [0, 1] }));
  expect(all.stats?.().delivered).toBe(1);
});

test('metrics go out where they are asked for, in the figures that the backend takes', async () => {
  const environment = { NEW_RELIC_LICENSE_KEY: 'k' };
  const sink = presets.newRelic({ environment, metrics: true, url: `${backend.url}/v1/traces`, diag: quiet });
  await deliver(sink, llm({ id: 1, ms: [0, 1], usage: { inputTokens: 5, outputTokens: 1 } }));
  const tokens = backend.metrics().find(({ name }) => name === 'gen_ai.client.token.usage');
  expect(tokens?.temporality).toBe(1);
  expect(backend.requests.every(({ headers }) => headers['api-key'] === 'k')).toBe(true);
});

test.each([
  [{}, ['/v1/traces']],
  [{ HONEYCOMB_METRICS_DATASET: 'figures' }, ['/v1/metrics', '/v1/traces']],
  [{ HONEYCOMB_METRICS_DATASET: 'figures', OTEL_METRICS_EXPORTER: 'none' }, ['/v1/traces']],
])('Honeycomb is sent metrics once they have a dataset, unless nobody is to be (%j)', async (more, paths) => {
  const environment = { HONEYCOMB_API_KEY: 'k', ...more };
  const sink = presets.honeycomb({ environment, url: `${backend.url}/v1/traces`, diag: quiet });
  await deliver(sink, llm({ id: 1, ms: [0, 1], usage: { inputTokens: 5 } }));
  expect(backend.requests.map(({ path }) => path).toSorted()).toEqual(paths);
});
