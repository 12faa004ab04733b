import type { Environment } from '@spanprism/core/otlp';

/** What a program's surroundings are asked before sinks are chosen. */
export interface Surroundings {
  readonly environment: Environment;
  /** Whether the program has initialised `@sentry/node`. A program that never does leaves it out: a DSN means Sentry without its SDK. */
  readonly isSentryLive?: () => boolean;
}

/** A factory of a package: `otlpSink` of `@spanprism/claude-otlp`, say. All that it needs it reads from the environment. */
export interface SinkFactory {
  readonly package: string;
  readonly factory: string;
  /** The option that takes the environment; one that is told all by its vendor's SDK has none. */
  readonly environment?: 'environment' | 'env';
}

/** A backend that the environment can ask for. */
export interface Vendor {
  /** The variables that ask for it, of which those that are set are named to the user. */
  readonly variables: readonly string[];
  readonly sink: (surroundings: Surroundings) => SinkFactory;
  /** What more must hold than that one of the variables is set. */
  readonly isMeant?: (environment: Environment) => boolean;
  /** Variables that say where it is; without one, its sink goes to a region of its own choice. */
  readonly urlVariables?: readonly string[];
  /** Its hosts, by the ends of their names. An OTLP endpoint at one of them says where it is, if nothing else does. */
  readonly hosts?: readonly string[];
  /** Options that lead its sink to where that endpoint is. */
  readonly at?: (endpoint: OtlpEndpoint) => object;
}

/** An OTLP endpoint of the environment. */
export interface OtlpEndpoint {
  readonly url: URL;
  /** The full URL for traces. */
  readonly tracesUrl: string;
}

type Where = Pick<Vendor, 'isMeant' | 'hosts' | 'urlVariables'>;

const OTLP = '@spanprism/claude-otlp';
const preset = (factory: string, variables: readonly string[], where: Where = {}): Vendor => ({
  ...where,
  variables,
  sink: () => ({ package: OTLP, factory, environment: 'environment' }),
  at: ({ tracesUrl }) => ({ url: tracesUrl }),
});
const atOrigin = ({ url }: OtlpEndpoint): object => ({ baseUrl: url.origin });
const isTrue = (text: string | undefined): boolean => text?.trim().toLowerCase() === 'true';

/**
 * Backends by their variables. A preset is here only if nothing but sending traces can be meant by its variable: an API key that also
 * serves an agent, a command line or training runs (`DD_API_KEY`, `NEW_RELIC_LICENSE_KEY`, `WANDB_API_KEY`, `AWS_*`, …) says nothing about
 * where the traces of this program are to go.
 */
export const VENDORS: readonly Vendor[] = [
  {
    variables: ['LANGFUSE_PUBLIC_KEY', 'LANGFUSE_SECRET_KEY'],
    sink: () => ({ package: '@spanprism/claude-langfuse', factory: 'langfuseSink', environment: 'env' }),
    urlVariables: ['LANGFUSE_BASE_URL', 'LANGFUSE_BASEURL', 'LANGFUSE_HOST'],
    hosts: ['langfuse.com'],
    at: atOrigin,
  },
  {
    variables: ['LOGFIRE_TOKEN'],
    sink: () => ({ package: '@spanprism/claude-logfire', factory: 'logfireSink', environment: 'environment' }),
    urlVariables: ['LOGFIRE_BASE_URL'],
    hosts: ['pydantic.dev', 'pydantic.info'],
    at: atOrigin,
  },
  {
    variables: ['SENTRY_DSN'],
    sink: ({ isSentryLive }) =>
      isSentryLive?.() === true
        ? { package: '@spanprism/claude-sentry', factory: 'sentrySink' }
        : { package: OTLP, factory: 'sentryOtlp', environment: 'environment' },
    urlVariables: ['SENTRY_DSN'],
  },
  preset('honeycomb', ['HONEYCOMB_API_KEY', 'HONEYCOMB_TRACES_APIKEY'], {
    urlVariables: ['HONEYCOMB_TRACES_ENDPOINT', 'HONEYCOMB_API_ENDPOINT'],
    hosts: ['honeycomb.io'],
  }),
  preset('phoenix', ['PHOENIX_COLLECTOR_ENDPOINT'], { urlVariables: ['PHOENIX_COLLECTOR_ENDPOINT'] }),
  preset('langsmith', ['LANGSMITH_API_KEY', 'LANGCHAIN_API_KEY'], {
    // The key also serves datasets and prompts; these are LangSmith's own switches for traces.
    isMeant: ({ LANGSMITH_TRACING, LANGCHAIN_TRACING_V2 }) => isTrue(LANGSMITH_TRACING) || isTrue(LANGCHAIN_TRACING_V2),
    urlVariables: ['LANGSMITH_ENDPOINT', 'LANGCHAIN_ENDPOINT'],
    hosts: ['smith.langchain.com'],
  }),
  preset('laminar', ['LMNR_PROJECT_API_KEY'], { urlVariables: ['LMNR_BASE_URL'], hosts: ['lmnr.ai'] }),
  preset('traceloop', ['TRACELOOP_API_KEY'], { urlVariables: ['TRACELOOP_BASE_URL'], hosts: ['traceloop.com'] }),
  preset('grafanaCloud', ['GRAFANA_CLOUD_OTLP_ENDPOINT'], { urlVariables: ['GRAFANA_CLOUD_OTLP_ENDPOINT'] }),
  preset('elastic', ['ELASTIC_OTLP_ENDPOINT'], { urlVariables: ['ELASTIC_OTLP_ENDPOINT'] }),
  preset('signoz', ['SIGNOZ_INGESTION_KEY'], { urlVariables: ['SIGNOZ_ENDPOINT'], hosts: ['signoz.cloud'] }),
];

/** OpenTelemetry's own variables: a collector, or any backend that takes OTLP. */
export const STANDARD: Vendor = preset(
  'otlpSink',
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  { isMeant: ({ OTEL_TRACES_EXPORTER }) => OTEL_TRACES_EXPORTER?.trim().toLowerCase() !== 'none' },
);
