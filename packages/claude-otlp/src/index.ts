export type { Environment } from './config/environment.ts';
export type { Headers, OtlpProtocol } from './config/otlp-config.ts';
export type { SamplerName, SamplerOptions } from './config/sampler.ts';
export type {
  AttributeTaker,
  Dialect,
  DialectAttributes,
  DialectEvent,
  DialectLink,
  DialectSpanKind,
  DialectStatus,
  DialectValue,
} from './dialect.ts';
export { genaiDialect } from './genai/dialect.ts';
export type { GenaiDialectOptions } from './genai/dialect.ts';
export type { SemconvVersion } from './genai/semconv.ts';
export { otlpSink } from './otlp-sink.ts';
export type { OtlpSinkOptions } from './otlp-sink.ts';
