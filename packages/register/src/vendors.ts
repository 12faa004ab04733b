import type { Environment } from '@spanprism/core/otlp';

/** What a program's surroundings are asked before sinks are chosen. */
export interface Surroundings {
  readonly environment: Environment;
  /** Whether the program has initialised `@sentry/node`. */
  isSentryLive(): boolean;
}

/** A factory of a package: `otlpSink` of `@spanprism/claude-otlp`, say. Called without options, it reads the environment itself. */
export interface SinkFactory {
  readonly package: string;
  readonly factory: string;
}

/** A backend that the environment can ask for. */
export interface Vendor {
  /** The variables that ask for it, of which those that are set are named to the user. */
  readonly variables: readonly string[];
  readonly sink: (surroundings: Surroundings) => SinkFactory;
  /** What more must hold than that one of the variables is set. */
  readonly isMeant?: (environment: Environment) => boolean;
  /** Its hosts, by the ends of their names; an OTLP endpoint there is the same backend a second time. */
  readonly hosts?: readonly string[];
  /** A variable with its URL, for one that its user hosts. */
  readonly urlVariable?: string;
}

const OTLP = '@spanprism/claude-otlp';
const preset = (factory: string) => (): SinkFactory => ({ package: OTLP, factory });

/**
 * Backends by their variables. A preset is here only if nothing but sending traces can be meant by its variable: an API key that also
 * serves an agent, a command line or training runs (`DD_API_KEY`, `NEW_RELIC_LICENSE_KEY`, `WANDB_API_KEY`, `AWS_*`, …) says nothing about
 * where the traces of this program are to go.
 */
export const VENDORS: readonly Vendor[] = [
  {
    variables: ['LANGFUSE_PUBLIC_KEY', 'LANGFUSE_SECRET_KEY'],
    sink: () => ({ package: '@spanprism/claude-langfuse', factory: 'langfuseSink' }),
    hosts: ['langfuse.com'],
    urlVariable: 'LANGFUSE_BASE_URL',
  },
  {
    variables: ['LOGFIRE_TOKEN'],
    sink: () => ({ package: '@spanprism/claude-logfire', factory: 'logfireSink' }),
    hosts: ['pydantic.dev', 'pydantic.info'],
    urlVariable: 'LOGFIRE_BASE_URL',
  },
  {
    variables: ['SENTRY_DSN'],
    sink: ({ isSentryLive }) =>
      isSentryLive() ? { package: '@spanprism/claude-sentry', factory: 'sentrySink' } : preset('sentryOtlp')(),
    hosts: ['sentry.io'],
    urlVariable: 'SENTRY_DSN',
  },
  {
    variables: ['HONEYCOMB_API_KEY', 'HONEYCOMB_TRACES_APIKEY'],
    sink: preset('honeycomb'),
    hosts: ['honeycomb.io'],
    urlVariable: 'HONEYCOMB_API_ENDPOINT',
  },
  {
    variables: ['PHOENIX_COLLECTOR_ENDPOINT'],
    sink: preset('phoenix'),
    hosts: ['phoenix.arize.com'],
    urlVariable: 'PHOENIX_COLLECTOR_ENDPOINT',
  },
  {
    variables: ['LANGSMITH_API_KEY', 'LANGCHAIN_API_KEY'],
    sink: preset('langsmith'),
    // The key also serves datasets and prompts; this is LangSmith's own switch for traces.
    isMeant: (environment) =>
      ['LANGSMITH_TRACING', 'LANGCHAIN_TRACING_V2'].some((name) => environment[name]?.trim().toLowerCase() === 'true'),
    hosts: ['smith.langchain.com'],
    urlVariable: 'LANGSMITH_ENDPOINT',
  },
  {
    variables: ['LMNR_PROJECT_API_KEY'],
    sink: preset('laminar'),
    hosts: ['lmnr.ai'],
    urlVariable: 'LMNR_BASE_URL',
  },
  {
    variables: ['TRACELOOP_API_KEY'],
    sink: preset('traceloop'),
    hosts: ['traceloop.com'],
    urlVariable: 'TRACELOOP_BASE_URL',
  },
  {
    variables: ['GRAFANA_CLOUD_OTLP_ENDPOINT'],
    sink: preset('grafanaCloud'),
    urlVariable: 'GRAFANA_CLOUD_OTLP_ENDPOINT',
  },
  { variables: ['ELASTIC_OTLP_ENDPOINT'], sink: preset('elastic'), urlVariable: 'ELASTIC_OTLP_ENDPOINT' },
  {
    variables: ['SIGNOZ_INGESTION_KEY'],
    sink: preset('signoz'),
    hosts: ['signoz.cloud'],
    urlVariable: 'SIGNOZ_ENDPOINT',
  },
];

/** OpenTelemetry's own variables: a collector, or any backend that takes OTLP. */
export const STANDARD: Vendor = {
  variables: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  sink: preset('otlpSink'),
  isMeant: (environment) => environment['OTEL_TRACES_EXPORTER']?.trim().toLowerCase() !== 'none',
};
