import type { Sink } from '@spanprism/core';
import { otlpSink } from '../otlp-sink.ts';
import type { OtlpSinkOptions } from '../otlp-sink.ts';

/** Jaeger 1.35 or later, by OpenTelemetry's variables: `http://localhost:4318` unless they say otherwise. It takes no metrics. */
export function jaeger(options: OtlpSinkOptions = {}): Sink {
  return otlpSink({ name: 'jaeger', metrics: false, ...options });
}

/** An OpenTelemetry Collector, by OpenTelemetry's variables: `http://localhost:4318` unless they say otherwise. */
export function collector(options: OtlpSinkOptions = {}): Sink {
  return otlpSink({ name: 'collector', ...options });
}
