import type { CaptureOptions, Diag, Sink, SinkStats } from '@spanprism/core';
import { genaiDialect } from '@spanprism/core/dialect';
import type { Dialect, GenaiDialectOptions, SemconvVersion, SpanLimits } from '@spanprism/core/dialect';
import { disabledSink, otlpDelivery, otlpTraceSink, RareComplaints, sinkDiag } from '@spanprism/core/otlp';
import type { Complaints, DeliveryError, Environment, OtlpEndpoint, SpoolOptions } from '@spanprism/core/otlp';
import { readOtlpConfig } from './config/otlp-config.ts';
import type { OtlpConfig, OtlpConfigOptions, SignalConfig } from './config/otlp-config.ts';
import { MetricsExport, withoutNotTaken } from './metrics/metrics-export.ts';
import type { MetricsExportOptions } from './metrics/metrics-export.ts';

/** What a backend takes of a request, and what helps when it refuses one. */
type EndpointDetails = Pick<OtlpEndpoint, 'sign' | 'fixes' | 'maxBatchBytes' | 'maxBatchItems'>;

export interface OtlpSinkOptions extends OtlpConfigOptions, EndpointDetails {
  /** Unique among the sinks of a program; `otlp` unless given. */
  readonly name?: string;
  /** How spans are spelled; OpenTelemetry's GenAI conventions unless given. */
  readonly dialect?: Dialect;
  /** Which text of the GenAI conventions, for spans (without `dialect`) and metrics; `v1.41` unless given. */
  readonly semconv?: SemconvVersion;
  /** Where tools hang in the tree, without `dialect`; below their agent unless given. */
  readonly toolParent?: GenaiDialectOptions['toolParent'];
  /** What the backend takes of one span, over what the dialect says. */
  readonly limits?: SpanLimits;
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
  const { diag, useDiag } = sinkDiag(options.diag, environment);
  const config = readOtlpConfig(options, environment, (level, message) => diag(level, `${name}: ${message}`));
  const sink = config.isDisabled ? disabledSink(name) : startSink(config, { ...options, name, diag });
  return { ...sink, useDiag, ...(options.capture === undefined ? {} : { capture: options.capture }) };
}

type NamedOptions = OtlpSinkOptions & { readonly name: string; readonly diag: Diag };
type StartOptions = NamedOptions & { readonly complaints: Complaints };

function startSink(config: OtlpConfig, options: NamedOptions): Sink {
  // What is wrong with a backend is wrong for both.
  const complaints = new RareComplaints(options.diag);
  const traces = startTraces(config, { ...options, complaints });
  const metrics = startMetrics(config, {
    ...options,
    complaints: afterTraces(complaints, traces),
    areSpansTaken: () => (traces.stats?.().delivered ?? 0) > 0,
  });
  if (metrics === undefined) return traces;
  return {
    ...traces,
    spanEnd: (span) => {
      // Measured whether sampled or not: metrics count everything.
      metrics.measure(span);
      traces.spanEnd(span);
    },
    metrics: (points) => metrics.forward(points),
    flush: (deadlineMs) => allOf([traces.flush(deadlineMs), metrics.flush(deadlineMs)]),
    close: (deadlineMs) => allOf([traces.close(deadlineMs), metrics.close(deadlineMs)]),
    persistSync: (isFinal) => {
      traces.persistSync?.(isFinal);
      metrics.persistSync();
    },
    stats: () => {
      const { delivered, queued, dropped } = traces.stats?.() ?? NOTHING;
      return { delivered, queued, dropped: { ...dropped, ...metrics.dropped() } };
    },
  };
}

/** While spans wait for the same backend, it is they that tell of it: what becomes of them, on a disk perhaps, is what matters. */
function afterTraces(complaints: Complaints, traces: Sink): Complaints {
  const areWaiting = (): boolean => (traces.stats?.().queued ?? 0) > 0;
  return {
    say: (level, kind, line) => (level === 'warn' && areWaiting() ? undefined : complaints.say(level, kind, line)),
  };
}

const NOTHING: SinkStats = { delivered: 0, queued: 0, dropped: {} };

function startTraces({ traces, resource, sampler }: OtlpConfig, options: StartOptions): Sink {
  const { name, diag, complaints, limits, spool, semconv = 'v1.41', toolParent = 'agent' } = options;
  // Made in any case: it says what is wrong with its options.
  const dialect = genaiDialect({ version: semconv, toolParent });
  return otlpTraceSink({
    ...endpointOf(traces, options),
    name,
    diag,
    complaints,
    dialect: options.dialect ?? dialect,
    resource,
    scope: SCOPE,
    sampler,
    ...(limits === undefined ? {} : { limits }),
    ...(spool === undefined ? {} : { spool }),
  });
}

function startMetrics(
  { metrics, resource }: OtlpConfig,
  options: StartOptions & Pick<MetricsExportOptions, 'areSpansTaken'>,
): MetricsExport | undefined {
  if (metrics === undefined) return undefined;
  const { name, diag, complaints, areSpansTaken, semconv = 'v1.41' } = options;
  // Nobody has said that this backend takes metrics: if it says no, it is believed.
  const isTentative = metrics.url.isDerived && options.metrics !== true;
  const { temporality, intervalMs, protocol } = metrics;
  return new MetricsExport({
    delivery: otlpDelivery('metrics', endpointOf(metrics, options), {
      name: `${name} metrics`,
      complaints: isTentative ? withoutNotTaken(complaints) : complaints,
    }),
    isTentative,
    areSpansTaken,
    semconv,
    temporality,
    intervalMs,
    protocol,
    resource,
    scope: SCOPE,
    diag,
  });
}

function endpointOf(
  { url, ...config }: SignalConfig,
  { sign, fixes, maxBatchBytes, maxBatchItems }: OtlpSinkOptions,
): OtlpEndpoint {
  const given = Object.entries({ sign, fixes, maxBatchBytes, maxBatchItems }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...config, url: url.value, ...Object.fromEntries(given) };
}

/** Waits for all of them, whatever becomes of one, then fails with the first failure, one of which diagnostics know nothing if there is. */
async function allOf(parts: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(parts);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as DeliveryError] : []));
  if (failures.length > 0) throw failures.find(({ isTold }) => !isTold) ?? failures[0];
}
