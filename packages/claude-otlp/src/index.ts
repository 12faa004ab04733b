export type { Headers, OtlpProtocol } from './config/otlp-config.ts';
export { genaiDialect } from '@spanprism/core/dialect';
export type {
  AttributeTaker,
  Dialect,
  DialectAttributes,
  DialectEvent,
  DialectLink,
  DialectRecord,
  DialectSpanKind,
  DialectStatus,
  DialectValue,
  GenaiDialectOptions,
  SemconvVersion,
  SpanLimits,
} from '@spanprism/core/dialect';
export type { Environment, SamplerName, SamplerOptions } from '@spanprism/core/otlp';
export { openinferenceDialect } from './dialects/openinference.ts';
export type { OpenInferenceDialectOptions } from './dialects/openinference.ts';
export { otlpSink } from './otlp-sink.ts';
export type { OtlpSinkOptions } from './otlp-sink.ts';
export { arize, phoenix } from './presets/arize.ts';
export type { ArizeOptions, PhoenixOptions } from './presets/arize.ts';
export { awsXray } from './presets/aws-xray.ts';
export type { AwsXrayOptions } from './presets/aws-xray.ts';
export { axiom } from './presets/axiom.ts';
export type { AxiomOptions } from './presets/axiom.ts';
export { braintrust } from './presets/braintrust.ts';
export type { BraintrustOptions } from './presets/braintrust.ts';
export { datadog } from './presets/datadog.ts';
export type { DatadogOptions } from './presets/datadog.ts';
export { dynatrace } from './presets/dynatrace.ts';
export type { DynatraceOptions } from './presets/dynatrace.ts';
export { elastic } from './presets/elastic.ts';
export type { ElasticOptions } from './presets/elastic.ts';
export { grafanaCloud, tempo } from './presets/grafana.ts';
export type { GrafanaCloudOptions } from './presets/grafana.ts';
export { honeycomb } from './presets/honeycomb.ts';
export type { HoneycombOptions } from './presets/honeycomb.ts';
export { laminar, traceloop } from './presets/laminar-traceloop.ts';
export type { LaminarOptions, TraceloopOptions } from './presets/laminar-traceloop.ts';
export { langsmith } from './presets/langsmith.ts';
export type { LangsmithOptions } from './presets/langsmith.ts';
export { mlflow } from './presets/mlflow.ts';
export type { MlflowOptions } from './presets/mlflow.ts';
export { newRelic } from './presets/new-relic.ts';
export type { NewRelicOptions } from './presets/new-relic.ts';
export { opik } from './presets/opik.ts';
export type { OpikOptions } from './presets/opik.ts';
export { collector, jaeger } from './presets/plain.ts';
export { sentryOtlp } from './presets/sentry-otlp.ts';
export type { SentryOtlpOptions } from './presets/sentry-otlp.ts';
export { signoz } from './presets/signoz.ts';
export type { SignozOptions } from './presets/signoz.ts';
export type { AwsCredentials } from './presets/sigv4.ts';
export type { PresetOptions } from './presets/vendor.ts';
export { weave } from './presets/weave.ts';
export type { WeaveOptions } from './presets/weave.ts';
