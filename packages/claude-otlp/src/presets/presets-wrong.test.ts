import { ConfigurationError } from '@spanprism/core';
import type { Sink } from '@spanprism/core';
import { startCollector } from '@spanprism/testkit';
import { llm } from '@spanprism/testkit/samples';
import { describe, expect, test } from 'vitest';
import * as presets from '../index.ts';
import type { OtlpSinkOptions } from '../index.ts';

type Preset = (options: OtlpSinkOptions) => Sink;

function messageOf(make: () => Sink): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('it was made');
}

type Missing = readonly [preset: Preset, env: Readonly<Record<string, string>>, words: readonly string[]];

const MISSING: Readonly<Record<string, Missing>> = {
  honeycomb: [presets.honeycomb, {}, ['apiKey', 'HONEYCOMB_API_KEY', 'ingest key']],
  datadog: [presets.datadog, {}, ['apiKey', 'DD_API_KEY', 'agentHost']],
  'grafana zone': [presets.grafanaCloud, {}, ['zone', 'GRAFANA_CLOUD_ZONE']],
  'grafana token': [
    presets.grafanaCloud,
    { GRAFANA_CLOUD_ZONE: 'z', GRAFANA_CLOUD_INSTANCE_ID: '1' },
    ['token', 'GRAFANA_CLOUD_API_KEY', 'traces:write'],
  ],
  'new relic': [presets.newRelic, {}, ['licenseKey', 'NEW_RELIC_LICENSE_KEY']],
  'elastic server': [presets.elastic, {}, ['server', 'ELASTIC_OTLP_ENDPOINT', 'ELASTIC_APM_SERVER_URL']],
  'elastic key': [
    presets.elastic,
    { ELASTIC_OTLP_ENDPOINT: 'https://e' },
    ['apiKey', 'ELASTIC_API_KEY', 'secret token'],
  ],
  'x-ray region': [presets.awsXray, {}, ['region', 'AWS_REGION']],
  'x-ray keys': [presets.awsXray, { AWS_REGION: 'eu-central-1' }, ['accessKeyId', 'AWS_ACCESS_KEY_ID', 'credentials']],
  dynatrace: [presets.dynatrace, {}, ['server', 'DT_ENDPOINT', 'live.dynatrace.com']],
  'dynatrace token': [
    presets.dynatrace,
    { DT_ENVIRONMENT_ID: 'abc' },
    ['apiToken', 'DT_API_TOKEN', 'openTelemetryTrace.ingest'],
  ],
  'signoz region': [presets.signoz, {}, ['region', 'SIGNOZ_REGION', 'us, eu or in']],
  'signoz key': [presets.signoz, { SIGNOZ_REGION: 'us' }, ['ingestionKey', 'SIGNOZ_INGESTION_KEY']],
  'axiom token': [presets.axiom, {}, ['token', 'AXIOM_TOKEN']],
  'axiom dataset': [presets.axiom, { AXIOM_TOKEN: 'xaat-1' }, ['dataset', 'AXIOM_DATASET']],
  'arize space': [presets.arize, {}, ['spaceId', 'ARIZE_SPACE_ID']],
  'arize key': [presets.arize, { ARIZE_SPACE_ID: 's' }, ['apiKey', 'ARIZE_API_KEY']],
  langsmith: [presets.langsmith, {}, ['apiKey', 'LANGSMITH_API_KEY', 'LANGCHAIN_API_KEY']],
  braintrust: [presets.braintrust, {}, ['apiKey', 'BRAINTRUST_API_KEY']],
  'braintrust parent': [
    presets.braintrust,
    { BRAINTRUST_API_KEY: 'k' },
    ['parent', 'BRAINTRUST_PARENT', 'project_name:'],
  ],
  laminar: [presets.laminar, {}, ['apiKey', 'LMNR_PROJECT_API_KEY']],
  traceloop: [presets.traceloop, {}, ['apiKey', 'TRACELOOP_API_KEY']],
  opik: [presets.opik, {}, ['apiKey', 'OPIK_API_KEY']],
  'opik workspace': [presets.opik, { OPIK_API_KEY: 'k' }, ['workspace', 'OPIK_WORKSPACE']],
  weave: [presets.weave, {}, ['apiKey', 'WANDB_API_KEY']],
  'weave entity': [presets.weave, { WANDB_API_KEY: 'k' }, ['entity', 'WANDB_ENTITY']],
  mlflow: [presets.mlflow, {}, ['trackingUri', 'MLFLOW_TRACKING_URI', 'http://localhost:5000']],
  'sentry over OTLP': [presets.sentryOtlp, {}, ['dsn', 'SENTRY_DSN', 'Client Keys']],
};

test.each(Object.entries(MISSING))(
  '%s: what is missing is named, with where it may stand and how to come by it',
  (_, missing) => {
    const [preset, environment, words] = missing;
    const message = messageOf(() => preset({ environment }));
    for (const word of words) expect(message).toContain(word);
  },
);

const SECRET = 'd41d8cd98f00b204e9800998ecf8427e';
type Wrong = readonly [preset: Preset, env: Readonly<Record<string, string>>, words: readonly string[]];

const WRONG: Readonly<Record<string, Wrong>> = {
  'a user key of New Relic': [
    presets.newRelic,
    { NEW_RELIC_LICENSE_KEY: `NRAK-${SECRET}` },
    ['a user key', 'env NEW_RELIC_LICENSE_KEY', 'INGEST - LICENSE'],
  ],
  'an application key of Datadog': [
    presets.datadog,
    { DD_API_KEY: `${SECRET}01234567` },
    ['an application key', 'env DD_API_KEY'],
  ],
  'the address of Datadog’s interface': [
    presets.datadog,
    { DD_API_KEY: SECRET, DD_SITE: 'app.datadoghq.eu' },
    ['not a site', 'env DD_SITE', 'datadoghq.eu'],
  ],
  'a name for a site of Datadog': [
    presets.datadog,
    { DD_API_KEY: SECRET, DD_SITE: 'US5 Datadog' },
    ['not a site', 'env DD_SITE'],
  ],
  'a service account of Grafana': [
    presets.grafanaCloud,
    { GRAFANA_CLOUD_ZONE: 'z', GRAFANA_CLOUD_INSTANCE_ID: '1', GRAFANA_CLOUD_API_KEY: `glsa_${SECRET}` },
    ['service account', 'env GRAFANA_CLOUD_API_KEY'],
  ],
  'Elasticsearch itself': [
    presets.elastic,
    { ELASTIC_OTLP_ENDPOINT: 'https://x.es.eu.elastic.cloud' },
    ['Elasticsearch itself'],
  ],
  'the web interface of Dynatrace': [
    presets.dynatrace,
    { DT_ENDPOINT: 'https://abc.apps.dynatrace.com', DT_API_TOKEN: 'dt0c01.x' },
    ['web interface', 'env DT_ENDPOINT'],
  ],
  'no token of Dynatrace': [presets.dynatrace, { DT_ENVIRONMENT_ID: 'abc', DT_API_TOKEN: SECRET }, ['begins with dt0']],
  'a region that SigNoz has not': [
    presets.signoz,
    { SIGNOZ_REGION: 'mars', SIGNOZ_INGESTION_KEY: SECRET },
    ['mars', 'us, eu or in'],
  ],
  'a personal token of Axiom': [
    presets.axiom,
    { AXIOM_TOKEN: `xapt-${SECRET}`, AXIOM_DATASET: 'd' },
    ['personal token', 'xaat-'],
  ],
  'a parent without its kind': [
    presets.braintrust,
    { BRAINTRUST_API_KEY: SECRET, BRAINTRUST_PARENT: 'bot' },
    ['env BRAINTRUST_PARENT', 'project_name:'],
  ],
  'a bearer for Opik': [presets.opik, { OPIK_API_KEY: `Bearer ${SECRET}`, OPIK_WORKSPACE: 'w' }, ['the key as it is']],
  'an MLflow that is no server': [
    presets.mlflow,
    { MLFLOW_TRACKING_URI: 'databricks' },
    ['no server', 'env MLFLOW_TRACKING_URI'],
  ],
  'an experiment by its name': [
    presets.mlflow,
    { MLFLOW_TRACKING_URI: 'http://x', MLFLOW_EXPERIMENT_ID: 'bot' },
    ['a number'],
  ],
  'a key with the quotes of an env file': [
    presets.honeycomb,
    { HONEYCOMB_API_KEY: `"${SECRET}"` },
    ['quotes around it', 'env HONEYCOMB_API_KEY'],
  ],
  'no DSN': [presets.sentryOtlp, { SENTRY_DSN: 'https://sentry.io/4505' }, ['no DSN', 'env SENTRY_DSN']],
  'no sample rate': [
    presets.sentryOtlp,
    { SENTRY_DSN: `https://${SECRET}@o1.ingest.sentry.io/1`, SENTRY_TRACES_SAMPLE_RATE: '10%' },
    ['env SENTRY_TRACES_SAMPLE_RATE', '0 to 1'],
  ],
  'an endpoint that is no URL': [
    presets.phoenix,
    { PHOENIX_COLLECTOR_ENDPOINT: 'localhost:6006' },
    ['env PHOENIX_COLLECTOR_ENDPOINT', 'http://'],
  ],
  'a key with a line break': [
    presets.honeycomb,
    { HONEYCOMB_API_KEY: `ab\n${SECRET}` },
    ['x-honeycomb-team', 'line break'],
  ],
};

test.each(Object.entries(WRONG))('%s is told from a right value, and not shown', (_, [preset, environment, words]) => {
  const message = messageOf(() => preset({ environment }));
  for (const word of words) expect(message).toContain(word);
  expect(message).not.toContain(SECRET);
});

test.each([presets.dynatrace, presets.phoenix, presets.weave])(
  'JSON in code is wrong where it is not taken (%o)',
  (preset) => {
    const environment = {
      ...{ DT_ENVIRONMENT_ID: 'abc', DT_API_TOKEN: 'dt0c01.x' },
      ...{ WANDB_API_KEY: 'k', WANDB_ENTITY: 'e', WANDB_PROJECT: 'p' },
    };
    expect(messageOf(() => preset({ environment, protocol: 'http/json' }))).toContain('takes no http/json');
  },
);

const ANSWERS: readonly (readonly [status: number, words: string, counted: string])[] = [
  [401, 'Check HONEYCOMB_API_KEY: an ingest key of this environment, and of the region', 'http_401'],
  [403, 'Check HONEYCOMB_API_KEY', 'http_403'],
  [404, 'must be the full URL', 'http_404'],
  [413, 'capture less content', 'too_large'],
];

describe('a backend that refuses', () => {
  test.each(ANSWERS)(
    'with %i: one line says what, where and how to mend it, and nothing is thrown',
    async (status, words, counted) => {
      await using backend = await startCollector();
      backend.behave({ kind: 'status', status, body: 'unknown API key hcaik_secret01' });
      const said: string[] = [];
      const sink = presets.honeycomb({
        environment: { HONEYCOMB_API_KEY: 'hcaik_secret01' },
        url: `${backend.url}/v1/traces`,
        diag: (level, message) => void said.push(`${level}: ${message}`),
      });
      for (const id of [1, 2]) {
        sink.spanEnd(llm({ id, ms: [0, 1] }));
        await sink.flush(2000).catch(() => undefined);
      }
      await sink.close(2000).catch(() => undefined);
      expect(said).toHaveLength(1);
      expect(said[0]).toContain(words);
      expect(said[0]).toMatch(/^error: honeycomb: .*http:\/\/127\.0\.0\.1:\d+\/v1\/traces answered/);
      expect(said[0]).not.toContain('hcaik_secret01');
      expect(sink.stats?.().dropped).toEqual({ [counted]: 2 });
    },
  );

  test('the connection: so too, and the spans are kept for when it is there', async () => {
    const backend = await startCollector();
    await backend.close();
    const said: string[] = [];
    const sink = presets.phoenix({
      environment: { PHOENIX_COLLECTOR_ENDPOINT: backend.url },
      diag: (level, message) => void said.push(`${level}: ${message}`),
    });
    sink.spanEnd(llm({ id: 1, ms: [0, 1] }));
    await expect(sink.flush(200)).rejects.toThrow('phoenix');
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('Nothing listens there');
    expect(sink.stats?.().queued).toBe(1);
    await sink.close(50).catch(() => undefined);
  });
});
