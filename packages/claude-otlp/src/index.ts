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
export { otlpSink } from './otlp-sink.ts';
export type { OtlpSinkOptions } from './otlp-sink.ts';
