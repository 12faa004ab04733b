import type { Sink } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { chooseSinks, type LoadPackage } from './choose-sinks.ts';

interface MadeSink extends Sink {
  readonly options: object;
}

const sink = (name: string, options: object): MadeSink => ({
  ...{ name, options },
  spanEnd: () => undefined,
  flush: async () => {},
  close: async () => {},
});
const factories = (...names: readonly string[]): Record<string, (options: object) => Sink> =>
  Object.fromEntries(names.map((name) => [name, (options) => sink(name, options)]));

const PACKAGES: Readonly<Record<string, Record<string, unknown>>> = {
  '@spanprism/claude-otlp': factories(
    'otlpSink',
    'sentryOtlp',
    'honeycomb',
    'phoenix',
    'langsmith',
    'laminar',
    'traceloop',
    'grafanaCloud',
    'elastic',
    'signoz',
  ),
  '@spanprism/claude-langfuse': factories('langfuseSink'),
  '@spanprism/claude-logfire': factories('logfireSink'),
  '@spanprism/claude-sentry': factories('sentrySink'),
};
const installed: LoadPackage = (name) => PACKAGES[name];

function chosen(environment: Readonly<Record<string, string>>, isSentryLive = false): readonly string[] {
  const { sinks, problems } = chooseSinks({ environment, isSentryLive: () => isSentryLive }, installed);
  expect(problems).toEqual([]);
  return sinks.map(({ name }) => name);
}

describe('the environment chooses', () => {
  test.each([
    [{}, []],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, ['otlpSink']],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, ['otlpSink']],
    // Headers, protocols and intervals say how, not that.
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318' }, []],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' }, []],
    [{ LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LANGFUSE_SECRET_KEY: 'sk-lf-1' }, ['langfuseSink']],
    // One key alone is a mistake, which the sink will explain.
    [{ LANGFUSE_SECRET_KEY: 'sk-lf-1' }, ['langfuseSink']],
    [{ LOGFIRE_TOKEN: 'pylf_v1_us_x' }, ['logfireSink']],
    [{ LOGFIRE_TOKEN: '  ' }, []],
    [{ SENTRY_DSN: 'https://k@o1.ingest.sentry.io/2' }, ['sentryOtlp']],
    [{ HONEYCOMB_API_KEY: 'k' }, ['honeycomb']],
    [{ PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:6006' }, ['phoenix']],
    [{ LANGSMITH_API_KEY: 'k', LANGSMITH_TRACING: 'true' }, ['langsmith']],
    [{ LANGCHAIN_API_KEY: 'k', LANGCHAIN_TRACING_V2: 'true' }, ['langsmith']],
    [{ LANGSMITH_API_KEY: 'k' }, []],
    [{ LMNR_PROJECT_API_KEY: 'k' }, ['laminar']],
    [{ TRACELOOP_API_KEY: 'k' }, ['traceloop']],
    [{ GRAFANA_CLOUD_OTLP_ENDPOINT: 'https://otlp-gateway-prod-eu-west-2.grafana.net/otlp' }, ['grafanaCloud']],
    [{ ELASTIC_OTLP_ENDPOINT: 'https://my.ingest.us-east-1.aws.elastic.cloud:443' }, ['elastic']],
    [{ SIGNOZ_INGESTION_KEY: 'k' }, ['signoz']],
    // Keys of agents, command lines and training runs.
    [
      { DD_API_KEY: 'k', NEW_RELIC_LICENSE_KEY: 'k', WANDB_API_KEY: 'k', AWS_REGION: 'eu-west-1', AXIOM_TOKEN: 'k' },
      [],
    ],
  ])('%j: %j', (environment, names) => {
    expect(chosen(environment as Readonly<Record<string, string>>)).toEqual(names);
  });

  test('several sinks at once', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
      LOGFIRE_TOKEN: 'pylf_v1_us_x',
      SENTRY_DSN: 'https://k@o1.ingest.sentry.io/2',
    };
    expect(chosen(environment)).toEqual(['otlpSink', 'langfuseSink', 'logfireSink', 'sentryOtlp']);
  });

  test('the live sink when the program has initialised Sentry, and nothing of Sentry without a DSN', () => {
    expect(chosen({ SENTRY_DSN: 'https://k@o1.ingest.sentry.io/2' }, true)).toEqual(['sentrySink']);
    expect(chosen({}, true)).toEqual([]);
  });
});

describe('an OTLP endpoint that is a chosen backend’s own is not a sink of its own', () => {
  const LANGFUSE = { LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LANGFUSE_SECRET_KEY: 'sk-lf-1' };
  test.each([
    [LANGFUSE, 'https://notlangfuse.com/api/public/otel', ['otlpSink', 'langfuseSink']],
    [{ ...LANGFUSE, LANGFUSE_BASE_URL: 'https://lf.corp' }, 'https://lf.corp/api/public/otel', ['langfuseSink']],
    [
      { ...LANGFUSE, LANGFUSE_BASE_URL: 'https://gate.corp/lf' },
      'https://gate.corp/lf/api/public/otel',
      ['langfuseSink'],
    ],
    [
      { ...LANGFUSE, LANGFUSE_BASE_URL: 'https://gate.corp/lf' },
      'https://gate.corp/otlp',
      ['otlpSink', 'langfuseSink'],
    ],
    [{ SENTRY_DSN: 'https://k@sentry.corp/2' }, 'https://sentry.corp/api/2/integration/otlp', ['sentryOtlp']],
    // Another project, and another region than the one that is named: the user has said both.
    [
      { SENTRY_DSN: 'https://k@sentry.corp/2' },
      'https://sentry.corp/api/23/integration/otlp',
      ['otlpSink', 'sentryOtlp'],
    ],
    [
      { HONEYCOMB_API_KEY: 'k', HONEYCOMB_API_ENDPOINT: 'https://api.honeycomb.io' },
      'https://api.eu1.honeycomb.io',
      ['otlpSink', 'honeycomb'],
    ],
    [{ ...LANGFUSE, LANGFUSE_HOST: 'https://lf.corp' }, 'https://lf.corp/api/public/otel', ['langfuseSink']],
    [{ PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:6006' }, 'http://127.0.0.1:6006', ['phoenix']],
    [{ PHOENIX_COLLECTOR_ENDPOINT: 'http://[::1]:6006/' }, 'http://localhost:6006', ['phoenix']],
    [{ PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:6006' }, 'http://localhost:6006', ['phoenix']],
    [{ PHOENIX_COLLECTOR_ENDPOINT: 'http://localhost:6006' }, 'http://localhost:4318', ['otlpSink', 'phoenix']],
  ])('%j with %s: %j', (environment, endpoint, names) => {
    expect(chosen({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } as Record<string, string>)).toEqual(names);
  });
});

describe('an OTLP endpoint in a region of a backend whose keys are there says where its sink sends', () => {
  const LANGFUSE = { LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LANGFUSE_SECRET_KEY: 'sk-lf-1' };
  const OTLP = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  test.each([
    [LANGFUSE, OTLP, 'https://us.cloud.langfuse.com/api/public/otel', { baseUrl: 'https://us.cloud.langfuse.com' }],
    [
      { LOGFIRE_TOKEN: 'pylf_v1_eu_x' },
      OTLP,
      'https://logfire-eu.pydantic.dev',
      { baseUrl: 'https://logfire-eu.pydantic.dev' },
    ],
    [
      { HONEYCOMB_API_KEY: 'k' },
      OTLP,
      'https://api.eu1.honeycomb.io/',
      { url: 'https://api.eu1.honeycomb.io/v1/traces' },
    ],
    [
      { HONEYCOMB_API_KEY: 'k' },
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'https://api.eu1.honeycomb.io/v1/traces',
      { url: 'https://api.eu1.honeycomb.io/v1/traces' },
    ],
    [
      { LANGSMITH_API_KEY: 'k', LANGSMITH_TRACING: 'true' },
      OTLP,
      'https://eu.api.smith.langchain.com/otel',
      { url: 'https://eu.api.smith.langchain.com/otel/v1/traces' },
    ],
  ])('%j with %s=%s: %j', (environment, variable, endpoint, options) => {
    const surroundings = { environment: { ...environment, [variable]: endpoint } as Record<string, string> };
    const { sinks, found } = chooseSinks(surroundings, installed);
    expect(sinks.map((made) => (made as MadeSink).options)).toEqual([expect.objectContaining(options)]);
    expect(found).toEqual([expect.stringContaining(`, ${variable})`)]);
  });
});

test('sinks read the environment that chose them, but Sentry’s, which has been told all', () => {
  const environment = {
    ...{ LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LOGFIRE_TOKEN: 't' },
    HONEYCOMB_API_KEY: 'k',
    SENTRY_DSN: 's',
  };
  const { sinks } = chooseSinks({ environment, isSentryLive: () => true }, installed);
  expect(sinks.map((made) => [made.name, (made as MadeSink).options])).toEqual([
    ['langfuseSink', { env: environment }],
    ['logfireSink', { environment }],
    ['sentrySink', {}],
    ['honeycomb', { environment }],
  ]);
});

test('a backend that its own variables switch off is not one that is traced to', () => {
  const off = { ...sink('langfuse', {}), isDisabled: true } as const;
  const load: LoadPackage = (name) => (name.endsWith('langfuse') ? { langfuseSink: () => off } : installed(name));
  const environment = { LANGFUSE_PUBLIC_KEY: 'pk-lf-1', LOGFIRE_TOKEN: 'pylf_v1_us_x' };
  const { sinks, found, switchedOff } = chooseSinks({ environment }, load);
  expect([sinks.map(({ name }) => name), found]).toEqual([['logfireSink'], ['logfireSink (LOGFIRE_TOKEN)']]);
  expect(switchedOff).toEqual(['langfuse (LANGFUSE_PUBLIC_KEY)']);
});

describe('what cannot be had is said, and the others go on', () => {
  const environment = { LANGFUSE_PUBLIC_KEY: 'pk', LOGFIRE_TOKEN: 'pylf_v1_us_x' };
  const choose = (load: LoadPackage): ReturnType<typeof chooseSinks> =>
    chooseSinks({ environment, isSentryLive: () => false }, load);

  test('a package that is not installed is named', () => {
    const { found, problems } = choose((name) => (name.endsWith('langfuse') ? undefined : installed(name)));
    expect(found).toEqual(['logfireSink (LOGFIRE_TOKEN)']);
    expect(problems).toEqual([
      'LANGFUSE_PUBLIC_KEY is set, but @spanprism/claude-langfuse is not installed: npm install @spanprism/claude-langfuse',
    ]);
  });

  test('a package that is too old is named', () => {
    const { problems } = choose((name) => (name.endsWith('logfire') ? {} : installed(name)));
    expect(problems).toEqual([expect.stringMatching(/claude-logfire .* has no logfireSink: npm install .*@latest$/)]);
  });

  test('what a sink says about its configuration is passed on', () => {
    const broken = (): never => {
      throw new Error('Langfuse has no secret key (from env LANGFUSE_SECRET_KEY)');
    };
    const { sinks, problems } = choose((name) =>
      name.endsWith('langfuse') ? { langfuseSink: broken } : installed(name),
    );
    expect(sinks.map(({ name }) => name)).toEqual(['logfireSink']);
    expect(problems).toEqual(['Langfuse has no secret key (from env LANGFUSE_SECRET_KEY)']);
  });
});
