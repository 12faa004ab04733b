import {
  assembleTraces,
  assembleTracesJson,
  createDelivery,
  decodeExportResponse,
  encodeSpan,
  encodeSpanJson,
} from '@spanprism/core/otlp';
import type { CaptureOptions, Diag, Sink } from '@spanprism/core';
import type { Delivery, DeliveryOptions, OutgoingSpan, SpoolOptions } from '@spanprism/core/otlp';
import { readFlag } from './config/environment.ts';
import type { Environment } from './config/environment.ts';
import { readOtlpConfig } from './config/otlp-config.ts';
import type { OtlpConfig, OtlpConfigOptions, OtlpProtocol, SignalConfig } from './config/otlp-config.ts';
import type { Signal } from './config/endpoint.ts';
import type { Dialect } from './dialect.ts';
import { genaiDialect } from './genai/dialect.ts';
import type { GenaiDialectOptions } from './genai/dialect.ts';
import type { SemconvVersion } from './genai/semconv.ts';
import { MetricsExport } from './metrics/metrics-export.ts';
import { spanRecord } from './span-record.ts';
import { suppressTracing } from './suppress-tracing.ts';

export interface OtlpSinkOptions extends OtlpConfigOptions {
  /** Unique among the sinks of a program; `otlp` unless given. */
  readonly name?: string;
  /** How spans are spelled; OpenTelemetry's GenAI conventions unless given. */
  readonly dialect?: Dialect;
  /** Which text of the GenAI conventions, for spans (without `dialect`) and metrics; `v1.41` unless given. */
  readonly semconv?: SemconvVersion;
  /** Where tools hang in the tree, without `dialect`; below their agent unless given. */
  readonly toolParent?: GenaiDialectOptions['toolParent'];
  /** Which content may leave for this backend; the policy of `createTracing` unless given. */
  readonly capture?: CaptureOptions;
  /** Keeps on disk what could not be delivered. */
  readonly spool?: SpoolOptions;
  /** Where diagnostics go; stderr for warnings and errors unless given. */
  readonly diag?: Diag;
  /** `process.env` unless given. */
  readonly environment?: Environment;
}

const SCOPE = { name: '@spanprism/claude-otlp' };

/**
 * Sends spans and metrics to an OTLP/HTTP endpoint: a collector, or a backend itself. Reads OpenTelemetry's standard variables
 * where the options say nothing. Throws a `ConfigurationError` on a value it cannot work with.
 */
export function otlpSink(options: OtlpSinkOptions = {}): Sink {
  const { name = 'otlp', environment = process.env } = options;
  const diag = options.diag ?? stderrDiag(environment);
  const say: Diag = (level, message) => diag(level, `${name}: ${message}`);
  const config = readOtlpConfig(options, environment, say);
  const sink = config.isDisabled ? disabledSink(name) : startSink(config, { ...options, name, diag });
  return options.capture === undefined ? sink : { ...sink, capture: options.capture };
}

type StartOptions = OtlpSinkOptions & { readonly name: string; readonly diag: Diag };

function startSink(config: OtlpConfig, options: StartOptions): Sink {
  const { name, semconv = 'v1.41', toolParent = 'agent' } = options;
  const dialect = options.dialect ?? genaiDialect({ version: semconv, toolParent });
  const encode = CODECS[config.traces.protocol].encodeSpan;
  const traces = startTraces(config, options);
  const metrics = startMetrics(config, options, semconv);
  let sampledOut = 0;
  return {
    name,
    spanEnd: (span) => {
      // Measured whether sampled or not: metrics count everything.
      metrics?.measure(span);
      if (config.sampler(span)) traces.enqueue(encode(spanRecord(span, dialect)));
      else sampledOut += 1;
    },
    metrics: (points) => metrics?.forward(points),
    flush: (deadlineMs) => allOf([traces.flush(deadlineMs), metrics?.flush(deadlineMs)]),
    close: (deadlineMs) => allOf([traces.close(deadlineMs), metrics?.close(deadlineMs)]),
    persistSync: () => {
      traces.persistSync();
      metrics?.persistSync();
    },
    stats: () => {
      const { delivered, queued, dropped } = traces.stats();
      const lost = { ...dropped, ...(sampledOut === 0 ? {} : { sampled_out: sampledOut }) };
      return { delivered, queued, dropped: { ...lost, ...metrics?.dropped() } };
    },
  };
}

function startTraces(config: OtlpConfig, options: StartOptions): Delivery {
  const { assembleTraces: assemble } = CODECS[config.traces.protocol];
  return createDelivery({
    ...deliveryOptions('traces', config.traces, options),
    assemble: (records) => assemble(config.resource, SCOPE, records),
    ...(options.spool === undefined ? {} : { spool: options.spool }),
  });
}

function startMetrics(config: OtlpConfig, options: StartOptions, semconv: SemconvVersion): MetricsExport | undefined {
  const { metrics, resource } = config;
  if (metrics === undefined) return undefined;
  const { temporality, intervalMs, protocol } = metrics;
  return new MetricsExport({
    delivery: deliveryOptions('metrics', metrics, options),
    // Nobody has said that this backend takes metrics: if it says no, it is believed.
    isTentative: metrics.url.isDerived && options.metrics !== true,
    semconv,
    temporality,
    intervalMs,
    protocol,
    resource,
    scope: SCOPE,
    diag: options.diag,
  });
}

const CONTENT_TYPES: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': 'application/x-protobuf',
  'http/json': 'application/json',
};

interface Codec {
  readonly encodeSpan: (span: OutgoingSpan) => Uint8Array;
  readonly assembleTraces: typeof assembleTraces;
}

const CODECS: Readonly<Record<OtlpProtocol, Codec>> = {
  'http/protobuf': { encodeSpan, assembleTraces },
  'http/json': { encodeSpan: encodeSpanJson, assembleTraces: assembleTracesJson },
};

function deliveryOptions(
  signal: Signal,
  config: SignalConfig,
  { name, diag }: StartOptions,
): Omit<DeliveryOptions, 'assemble'> {
  return {
    name: signal === 'traces' ? name : `${name} metrics`,
    url: config.url.value,
    headers: config.headers,
    contentType: CONTENT_TYPES[config.protocol],
    compression: config.compression,
    requestTimeoutMs: config.timeoutMs,
    readResponse: (body, contentType) =>
      decodeExportResponse(signal, contentType.includes('json') ? 'json' : 'protobuf', body),
    suppress: suppressTracing,
    diag,
  };
}

/** `OTEL_SDK_DISABLED`: takes everything and sends nothing. */
function disabledSink(name: string): Sink {
  let dropped = 0;
  return {
    name,
    spanEnd: () => {
      dropped += 1;
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stats: () => ({ delivered: 0, queued: 0, dropped: dropped === 0 ? {} : { sdk_disabled: dropped } }),
  };
}

/** Waits for all of them, whatever becomes of one, then tells the first that failed. */
async function allOf(parts: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const part of await Promise.allSettled(parts)) {
    if (part.status === 'rejected') throw part.reason;
  }
}

function stderrDiag(environment: Environment): Diag {
  const isVerbose = readFlag(environment, 'OTEL_DEBUG') || environment['OTEL_DEBUG'] === '1';
  return (level, message) => {
    if (isVerbose || level === 'warn' || level === 'error') process.stderr.write(`spanprism ${level}: ${message}\n`);
  };
}
