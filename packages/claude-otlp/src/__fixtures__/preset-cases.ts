import * as presets from '../index.ts';
import * as backends from './backends.ts';
import type { MakePreset, PresetCase } from './preset-case.ts';

const { GENAI } = backends;
/** More than these keep of a text, and less than the suite sends. */
const ROOMY = { limits: { maxTextBytes: 32_000 } };
const SENTRY_DSN = 'https://k@o1.ingest.sentry.io/1';

/** For what programs and machines do. */
export const OBSERVABILITY: Readonly<Record<string, PresetCase>> = {
  honeycomb: { make: presets.honeycomb, env: { HONEYCOMB_API_KEY: 'k' }, backend: GENAI },
  datadog: { make: presets.datadog, env: { DD_API_KEY: 'k' }, backend: GENAI },
  grafanaCloud: {
    make: presets.grafanaCloud,
    env: { GRAFANA_CLOUD_ZONE: 'z', GRAFANA_CLOUD_INSTANCE_ID: '1', GRAFANA_CLOUD_API_KEY: 'k' },
    backend: GENAI,
    options: ROOMY,
  },
  newRelic: { make: presets.newRelic, env: { NEW_RELIC_LICENSE_KEY: 'k' }, backend: GENAI, options: ROOMY },
  elastic: { make: presets.elastic, env: { ELASTIC_OTLP_ENDPOINT: 'https://e', ELASTIC_API_KEY: 'k' }, backend: GENAI },
  awsXray: {
    make: presets.awsXray,
    env: { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' },
    backend: GENAI,
  },
  dynatrace: { make: presets.dynatrace, env: { DT_ENVIRONMENT_ID: 'abc', DT_API_TOKEN: 'dt0c01.x' }, backend: GENAI },
  signoz: { make: presets.signoz, env: { SIGNOZ_REGION: 'us', SIGNOZ_INGESTION_KEY: 'k' }, backend: GENAI },
  axiom: { make: presets.axiom, env: { AXIOM_TOKEN: 'xaat-1', AXIOM_DATASET: 'd' }, backend: GENAI },
  jaeger: { make: presets.jaeger, env: {}, backend: GENAI },
  tempo: { make: presets.tempo, env: {}, backend: GENAI, options: ROOMY },
  collector: { make: (options) => presets.collector({ metrics: false, ...options }), env: {}, backend: GENAI },
  sentryOtlp: { make: presets.sentryOtlp, env: { SENTRY_DSN }, backend: backends.SENTRY },
};

/** For what models and agents do. */
export const AGENT_PLATFORMS: Readonly<Record<string, PresetCase>> = {
  arize: { make: presets.arize, env: { ARIZE_SPACE_ID: 's', ARIZE_API_KEY: 'k' }, backend: backends.OPENINFERENCE },
  phoenix: { make: presets.phoenix, env: {}, backend: backends.OPENINFERENCE },
  langsmith: { make: presets.langsmith, env: { LANGSMITH_API_KEY: 'k' }, backend: backends.LANGSMITH },
  braintrust: {
    make: presets.braintrust,
    env: { BRAINTRUST_API_KEY: 'k', BRAINTRUST_PARENT: 'project_name:p' },
    backend: backends.BRAINTRUST,
  },
  laminar: { make: presets.laminar, env: { LMNR_PROJECT_API_KEY: 'k' }, backend: backends.LAMINAR },
  traceloop: { make: presets.traceloop, env: { TRACELOOP_API_KEY: 'k' }, backend: backends.TRACELOOP },
  opik: { make: presets.opik, env: { OPIK_API_KEY: 'k', OPIK_WORKSPACE: 'w' }, backend: GENAI },
  weave: {
    make: presets.weave,
    env: { WANDB_API_KEY: 'k', WANDB_ENTITY: 'e', WANDB_PROJECT: 'p' },
    backend: GENAI,
  },
  mlflow: { make: presets.mlflow, env: { MLFLOW_TRACKING_URI: 'http://localhost:5000' }, backend: GENAI },
};

export const ALL: Readonly<Record<string, PresetCase>> = { ...OBSERVABILITY, ...AGENT_PLATFORMS };
export type { MakePreset };
