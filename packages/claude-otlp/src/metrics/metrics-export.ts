import { systemClock } from '@spanprism/core';
import { createDelivery, encodeMetrics, encodeMetricsJson } from '@spanprism/core/otlp';
import type { Attributes, CapturedSpan, Diag, MetricPoint } from '@spanprism/core';
import type { SemconvVersion } from '@spanprism/core/dialect';
import type { Complaints, Delivery, DeliveryOptions, OtlpProtocol, OtlpScope } from '@spanprism/core/otlp';
import { Aggregation } from './aggregation.ts';
import { genaiMeasurements } from './genai-metrics.ts';
import { metricRecords } from './metric-records.ts';

export interface MetricsExportOptions {
  readonly delivery: Omit<DeliveryOptions, 'assemble'>;
  /** A backend that has no such endpoint is left alone from then on, and that is no loss. */
  readonly isTentative: boolean;
  /** Whether this backend has taken a span: only then it is one that takes no metrics, and not a wrong address. */
  readonly areSpansTaken: () => boolean;
  readonly semconv: SemconvVersion;
  readonly temporality: 'delta' | 'cumulative';
  /** The longest that a figure waits, milliseconds. */
  readonly intervalMs: number;
  readonly protocol: OtlpProtocol;
  readonly resource: Attributes;
  readonly scope: OtlpScope;
  readonly diag: Diag;
}

/** How backends for traces alone answer. */
const NOT_TAKEN = ['http_404', 'http_405', 'http_501'] as const;

/** All but that a backend takes no metrics, which is told in other words. */
export function withoutNotTaken(complaints: Complaints): Complaints {
  const isNotTaken = (kind: string): boolean => NOT_TAKEN.some((reason) => reason === kind);
  return { say: (level, kind, line) => (isNotTaken(kind) ? undefined : complaints.say(level, kind, line)) };
}

const ENCODERS = { 'http/protobuf': encodeMetrics, 'http/json': encodeMetricsJson } as const;

/** Measures spans, takes points of others, and sends both. */
export class MetricsExport {
  readonly #options: MetricsExportOptions;
  readonly #delivery: Delivery;
  readonly #aggregation: Aggregation;
  #timer: NodeJS.Timeout | undefined;
  #isTaken = true;
  #isRefusalTold = false;

  constructor(options: MetricsExportOptions) {
    this.#options = options;
    this.#aggregation = new Aggregation({ temporality: options.temporality, clock: systemClock() });
    // A record is a whole request: there is nothing to put together, and points of different times must not mix.
    const none = new Uint8Array();
    this.#delivery = createDelivery({ ...options.delivery, maxBatchItems: 1, assemble: ([record = none]) => record });
  }

  measure(span: CapturedSpan): void {
    if (!this.#isTaken) return;
    for (const measurement of genaiMeasurements(span, this.#options.semconv)) this.#aggregation.record(measurement);
    // Armed by the first unsent figure: an idle program has no timer, and no timer keeps it alive.
    if (this.#aggregation.isDirty) this.#timer ??= setTimeout(() => this.#collect(), this.#options.intervalMs).unref();
  }

  forward(points: readonly MetricPoint[]): void {
    if (points.length === 0) return;
    this.#believe();
    if (!this.#isTaken) return;
    const { resource, scope, protocol } = this.#options;
    this.#delivery.enqueue(ENCODERS[protocol]([{ resource, scope, records: metricRecords(points) }]));
  }

  async flush(deadlineMs: number): Promise<void> {
    this.#collect();
    await this.#settle(this.#delivery.flush(deadlineMs));
  }

  async close(deadlineMs: number): Promise<void> {
    this.#collect();
    await this.#settle(this.#delivery.close(deadlineMs));
  }

  persistSync(): void {
    this.#delivery.persistSync();
  }

  /** Requests that were given up, by reason. */
  dropped(): Readonly<Record<string, number>> {
    const dropped = Object.entries(this.#delivery.stats().dropped);
    return Object.fromEntries(dropped.map(([reason, count]) => [`metrics_${reason}`, count]));
  }

  #collect(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#aggregation.isDirty) this.forward(this.#aggregation.collect());
  }

  async #settle(delivered: Promise<void>): Promise<void> {
    try {
      await delivered;
    } catch (error) {
      this.#believe();
      if (this.#isTaken) throw error;
    } finally {
      this.#tellRefusal();
    }
  }

  #believe(): void {
    if (!this.#isTaken || !this.#options.isTentative) return;
    const { dropped } = this.#delivery.stats();
    if (!NOT_TAKEN.some((reason) => (dropped[reason] ?? 0) > 0)) return;
    this.#isTaken = false;
  }

  #tellRefusal(): void {
    const { delivery, diag, areSpansTaken } = this.#options;
    if (this.#isTaken || this.#isRefusalTold || !areSpansTaken()) return;
    this.#isRefusalTold = true;
    diag(
      'info',
      `${delivery.name}: no more of them, as this backend takes none; metrics: false says so from the start.`,
    );
  }
}
