import type { Sink } from '@spanprism/core';
import { llm } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { fakeInternet } from '../__fixtures__/fake-internet.ts';
import type { WorldRequest } from '../__fixtures__/fake-internet.ts';
import * as presets from '../index.ts';
import type { OtlpSinkOptions } from '../index.ts';

type Preset = (options: OtlpSinkOptions) => Sink;

interface Wanted {
  readonly preset: Preset;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource?: Readonly<Record<string, string>>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

// From the vendors' documents: where it goes, how it says who it is from, and what else must be with it.
const WANTED: Readonly<Record<string, Wanted>> = {
  honeycomb: {
    preset: presets.honeycomb,
    env: { HONEYCOMB_API_KEY: 'hcaik_01abc' },
    url: 'https://api.honeycomb.io/v1/traces',
    headers: { 'x-honeycomb-team': 'hcaik_01abc' },
  },
  'honeycomb eu, classic': {
    preset: (options) => presets.honeycomb({ ...options, region: 'eu' }),
    env: { HONEYCOMB_API_KEY: '0123456789abcdef0123456789abcdef', HONEYCOMB_DATASET: 'agents' },
    url: 'https://api.eu1.honeycomb.io/v1/traces',
    headers: { 'x-honeycomb-team': '0123456789abcdef0123456789abcdef', 'x-honeycomb-dataset': 'agents' },
  },
  'honeycomb classic, by an ingest key': {
    preset: presets.honeycomb,
    env: { HONEYCOMB_API_KEY: 'hcaic_1234', HONEYCOMB_DATASET: 'agents' },
    url: 'https://api.honeycomb.io/v1/traces',
    headers: { 'x-honeycomb-team': 'hcaic_1234', 'x-honeycomb-dataset': 'agents' },
  },
  datadog: {
    preset: presets.datadog,
    env: {
      DD_API_KEY: 'd'.repeat(32),
      DD_SITE: 'us5.datadoghq.com',
      DD_LLMOBS_ML_APP: 'bot',
      DD_ENV: 'prod',
      DD_VERSION: '7',
    },
    url: 'https://otlp.us5.datadoghq.com/v1/traces',
    headers: { 'dd-api-key': 'd'.repeat(32), 'dd-otlp-source': 'llmobs' },
    resource: { 'service.name': 'bot', 'deployment.environment.name': 'prod', 'service.version': '7' },
  },
  'grafana cloud': {
    preset: presets.grafanaCloud,
    env: {
      GRAFANA_CLOUD_ZONE: 'prod-eu-west-2',
      GRAFANA_CLOUD_INSTANCE_ID: '123456',
      GRAFANA_CLOUD_API_KEY: 'glc_xyz',
    },
    url: 'https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces',
    headers: { authorization: `Basic ${base64('123456:glc_xyz')}` },
  },
  'new relic': {
    preset: presets.newRelic,
    env: { NEW_RELIC_LICENSE_KEY: 'abcdef0123456789NRAL', NEW_RELIC_APP_NAME: 'bot' },
    url: 'https://otlp.nr-data.net/v1/traces',
    headers: { 'api-key': 'abcdef0123456789NRAL' },
    resource: { 'service.name': 'bot' },
  },
  'new relic, by a European key': {
    preset: presets.newRelic,
    env: { NEW_RELIC_LICENSE_KEY: 'eu01xx0123456789NRAL' },
    url: 'https://otlp.eu01.nr-data.net/v1/traces',
    headers: { 'api-key': 'eu01xx0123456789NRAL' },
  },
  elastic: {
    preset: presets.elastic,
    env: { ELASTIC_OTLP_ENDPOINT: 'https://my.ingest.us-east-1.aws.elastic.cloud:443', ELASTIC_API_KEY: 'a2V5' },
    url: 'https://my.ingest.us-east-1.aws.elastic.cloud/v1/traces',
    headers: { authorization: 'ApiKey a2V5' },
  },
  'elastic, an APM server': {
    preset: presets.elastic,
    env: { ELASTIC_APM_SERVER_URL: 'https://apm.example.com:8200/', ELASTIC_APM_SECRET_TOKEN: 'sesame' },
    url: 'https://apm.example.com:8200/v1/traces',
    headers: { authorization: 'Bearer sesame' },
  },
  dynatrace: {
    preset: presets.dynatrace,
    env: { DT_ENVIRONMENT_ID: 'abc12345', DT_API_TOKEN: 'dt0c01.ABC.DEF' },
    url: 'https://abc12345.live.dynatrace.com/api/v2/otlp/v1/traces',
    headers: { authorization: 'Api-Token dt0c01.ABC.DEF' },
  },
  'dynatrace, an ActiveGate': {
    preset: presets.dynatrace,
    env: { DT_ENDPOINT: 'https://gate:9999/e/abc12345', DT_API_TOKEN: 'dt0c01.ABC.DEF' },
    url: 'https://gate:9999/e/abc12345/api/v2/otlp/v1/traces',
    headers: { authorization: 'Api-Token dt0c01.ABC.DEF' },
  },
  signoz: {
    preset: presets.signoz,
    env: { SIGNOZ_REGION: 'in', SIGNOZ_INGESTION_KEY: 'ingest-1' },
    url: 'https://ingest.in.signoz.cloud/v1/traces',
    headers: { 'signoz-ingestion-key': 'ingest-1' },
  },
  axiom: {
    preset: presets.axiom,
    env: { AXIOM_TOKEN: 'xaat-1234', AXIOM_DATASET: 'agents' },
    url: 'https://api.axiom.co/v1/traces',
    headers: { authorization: 'Bearer xaat-1234', 'x-axiom-dataset': 'agents' },
  },
  arize: {
    preset: presets.arize,
    env: { ARIZE_SPACE_ID: 'U3Bh', ARIZE_API_KEY: 'ak-1', ARIZE_PROJECT_NAME: 'bot' },
    url: 'https://otlp.arize.com/v1/traces',
    headers: { space_id: 'U3Bh', api_key: 'ak-1' },
    resource: { 'openinference.project.name': 'bot' },
  },
  phoenix: {
    preset: presets.phoenix,
    env: {
      PHOENIX_COLLECTOR_ENDPOINT: 'https://app.phoenix.arize.com/s/mine',
      PHOENIX_API_KEY: 'px-1',
      PHOENIX_PROJECT_NAME: 'bot',
    },
    url: 'https://app.phoenix.arize.com/s/mine/v1/traces',
    headers: { authorization: 'Bearer px-1' },
    resource: { 'openinference.project.name': 'bot' },
  },
  langsmith: {
    preset: presets.langsmith,
    env: { LANGSMITH_API_KEY: 'lsv2_pt_1', LANGSMITH_PROJECT: 'bot' },
    url: 'https://api.smith.langchain.com/otel/v1/traces',
    headers: { 'x-api-key': 'lsv2_pt_1', 'langsmith-project': 'bot' },
  },
  'langsmith eu': {
    preset: presets.langsmith,
    env: { LANGSMITH_API_KEY: 'lsv2_pt_1', LANGSMITH_ENDPOINT: 'https://eu.api.smith.langchain.com' },
    url: 'https://eu.api.smith.langchain.com/otel/v1/traces',
    headers: { 'x-api-key': 'lsv2_pt_1' },
  },
  'langsmith, of one’s own': {
    preset: presets.langsmith,
    env: { LANGSMITH_API_KEY: 'lsv2_pt_1', LANGSMITH_ENDPOINT: 'https://smith.example.com/api/v1' },
    url: 'https://smith.example.com/api/v1/otel/v1/traces',
    headers: { 'x-api-key': 'lsv2_pt_1' },
  },
  braintrust: {
    preset: presets.braintrust,
    env: { BRAINTRUST_API_KEY: 'bt-1', BRAINTRUST_PARENT: 'project_name:bot' },
    url: 'https://api.braintrust.dev/otel/v1/traces',
    headers: { authorization: 'Bearer bt-1', 'x-bt-parent': 'project_name:bot' },
  },
  'braintrust eu, by project': {
    preset: (options) => presets.braintrust({ ...options, region: 'eu', project: 'bot' }),
    env: { BRAINTRUST_API_KEY: 'bt-1' },
    url: 'https://api-eu.braintrust.dev/otel/v1/traces',
    headers: { authorization: 'Bearer bt-1', 'x-bt-parent': 'project_name:bot' },
  },
  laminar: {
    preset: presets.laminar,
    env: { LMNR_PROJECT_API_KEY: 'lmnr-1' },
    url: 'https://api.lmnr.ai/v1/traces',
    headers: { authorization: 'Bearer lmnr-1' },
  },
  traceloop: {
    preset: presets.traceloop,
    env: { TRACELOOP_API_KEY: 'tl-1' },
    url: 'https://api.traceloop.com/v1/traces',
    headers: { authorization: 'Bearer tl-1' },
  },
  opik: {
    preset: presets.opik,
    env: { OPIK_API_KEY: 'opik-1', OPIK_WORKSPACE: 'team', OPIK_PROJECT_NAME: 'bot' },
    url: 'https://www.comet.com/opik/api/v1/private/otel/v1/traces',
    headers: { authorization: 'opik-1', 'comet-workspace': 'team', projectname: 'bot' },
  },
  weave: {
    preset: presets.weave,
    env: { WANDB_API_KEY: 'wandb-1', WANDB_ENTITY: 'team', WANDB_PROJECT: 'bot' },
    url: 'https://trace.wandb.ai/otel/v1/traces',
    headers: { 'wandb-api-key': 'wandb-1' },
    resource: { 'wandb.entity': 'team', 'wandb.project': 'bot' },
  },
  'weave, dedicated': {
    preset: presets.weave,
    env: { WANDB_API_KEY: 'w', WANDB_ENTITY: 'team', WANDB_PROJECT: 'bot', WANDB_BASE_URL: 'https://acme.wandb.io' },
    url: 'https://acme.wandb.io/traces/otel/v1/traces',
    headers: { 'wandb-api-key': 'w' },
  },
  mlflow: {
    preset: presets.mlflow,
    env: { MLFLOW_TRACKING_URI: 'https://mlflow.example.com', MLFLOW_EXPERIMENT_ID: '123', MLFLOW_TRACKING_TOKEN: 't' },
    url: 'https://mlflow.example.com/v1/traces',
    headers: { 'x-mlflow-experiment-id': '123', authorization: 'Bearer t' },
  },
  'sentry over OTLP': {
    preset: presets.sentryOtlp,
    env: {
      SENTRY_DSN: 'https://abc123@o1.ingest.de.sentry.io/4505',
      SENTRY_ENVIRONMENT: 'prod',
      SENTRY_RELEASE: '1.2',
    },
    url: 'https://o1.ingest.de.sentry.io/api/4505/integration/otlp/v1/traces/',
    headers: { 'x-sentry-auth': 'Sentry sentry_version=7, sentry_key=abc123' },
    resource: { 'deployment.environment.name': 'prod', 'service.version': '1.2' },
  },
  jaeger: {
    preset: presets.jaeger,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://jaeger.example.com' },
    url: 'https://jaeger.example.com/v1/traces',
    headers: {},
  },
  tempo: {
    preset: presets.tempo,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://tempo.example.com' },
    url: 'https://tempo.example.com/v1/traces',
    headers: {},
  },
  collector: {
    preset: (options) => presets.collector({ ...options, metrics: false }),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com', OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1' },
    url: 'https://collector.example.com/v1/traces',
    headers: { 'x-key': '1' },
  },
};

const PLAIN: ReadonlySet<string> = new Set(['jaeger', 'tempo', 'collector']);
/** Of another backend, in the same program. */
const FOREIGN = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://other.example.com',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-other-key=secret',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
};

async function sendOne(preset: Preset, options: OtlpSinkOptions): Promise<WorldRequest> {
  await using internet = await fakeInternet();
  const sink = preset({ ...options, diag: (_, message) => expect.unreachable(message) });
  sink.spanEnd(llm({ id: 1, ms: [0, 1] }));
  await sink.close(5000);
  const [request] = internet.requests();
  expect(internet.requests()).toHaveLength(1);
  expect(internet.collector.spans()).toHaveLength(1);
  return { ...request!, headers: { ...request!.headers, ...resourceOf(internet.collector.spans()[0]?.resource) } };
}

/** Beside the headers, as keys that no header has. */
function resourceOf(resource: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(resource).map(([key, value]) => [`resource ${key}`, String(value)]));
}

test.each(Object.entries(WANTED))('%s: the request is the one that its documents describe', async (name, wanted) => {
  const { preset, env, url, headers, resource } = wanted;
  const environment = PLAIN.has(name) ? env : { ...FOREIGN, ...env };
  const request = await sendOne(preset, { environment });
  expect(request.url).toBe(url);
  expect(request.headers).toMatchObject({
    ...headers,
    ...resourceOf({ 'service.name': 'claude-agents', ...resource }),
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
  });
  expect(request.headers).not.toHaveProperty('x-other-key');
});

test.each(Object.entries(WANTED))(
  '%s: what the user says of url and headers goes first',
  async (_, { preset, headers }) => {
    const mine = Object.fromEntries(Object.keys(headers).map((name) => [name.toUpperCase(), 'mine']));
    const request = await sendOne(preset, {
      environment: {},
      url: 'https://proxy.example.com/otlp/v1/traces',
      headers: { ...mine, 'x-mine': 'yes' },
      ...(preset === presets.weave ? { resource: { 'wandb.entity': 'e' }, entity: 'e', project: 'p' } : {}),
      ...(preset === presets.awsXray ? { region: 'eu-west-1' } : {}),
    } as OtlpSinkOptions);
    expect(request.url).toBe('https://proxy.example.com/otlp/v1/traces');
    expect(request.headers).toMatchObject({
      ...Object.fromEntries(Object.keys(headers).map((name) => [name, 'mine'])),
      'x-mine': 'yes',
    });
  },
);
