import type { Attributes, Clock, MetricPoint, UnixNano } from '@spanprism/core';

/** What is measured; `bounds` are the upper ends of a histogram's buckets, the last one open. */
export type Instrument = {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
} & ({ readonly type: 'histogram'; readonly bounds: readonly number[] } | { readonly type: 'counter' });

export interface Measurement {
  readonly instrument: Instrument;
  readonly value: number;
  readonly attributes: Attributes;
}

export interface AggregationOptions {
  readonly temporality: 'delta' | 'cumulative';
  readonly clock: Clock;
  /** Combinations of attributes per instrument, beyond which all goes to one series; OpenTelemetry's 2000 unless given. */
  readonly maxSeries?: number;
}

/** One combination of attributes of one instrument. */
interface Series {
  readonly instrument: Instrument;
  readonly attributes: Attributes;
  count: number;
  sum: number;
  readonly buckets: number[];
}

const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

/** Sums measurements up, as an OpenTelemetry meter with a periodic reader would. */
export class Aggregation {
  readonly #options: AggregationOptions;
  readonly #series = new Map<string, Map<string, Series>>();
  /** The same series by the very object of attributes: those of calls to one model are one object. */
  readonly #found = new Map<Instrument, WeakMap<Attributes, Series>>();
  #startedAt: UnixNano;
  #isDirty = false;

  constructor(options: AggregationOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** True when something was measured since the last `collect`. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  record(measurement: Measurement): void {
    const { instrument, value } = measurement;
    if (!Number.isFinite(value) || value < 0) return;
    const series = this.#found.get(instrument)?.get(measurement.attributes) ?? this.#find(measurement);
    series.count += 1;
    series.sum += value;
    if (instrument.type === 'histogram') {
      const bucket = bucketOf(instrument.bounds, value);
      series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
    }
    this.#isDirty = true;
  }

  /** Points of everything measured since the beginning, or since the last call where the temporality is delta. */
  collect(): readonly MetricPoint[] {
    const { temporality, clock } = this.#options;
    const times = { startedAt: this.#startedAt, at: clock.now() };
    const points = [...this.#series.values()].flatMap((all) =>
      [...all.values()].map((series) => pointOf(series, times, temporality)),
    );
    this.#isDirty = false;
    if (temporality === 'delta') {
      this.#series.clear();
      this.#found.clear();
      this.#startedAt = times.at;
    }
    return points;
  }

  #find(measurement: Measurement): Series {
    const { instrument, attributes } = measurement;
    const series = this.#seriesOf(measurement);
    const found = this.#found.get(instrument);
    if (found === undefined) this.#found.set(instrument, new WeakMap([[attributes, series]]));
    else found.set(attributes, series);
    return series;
  }

  #seriesOf({ instrument, attributes }: Measurement): Series {
    let all = this.#series.get(instrument.name);
    if (all === undefined) this.#series.set(instrument.name, (all = new Map<string, Series>()));
    const key = JSON.stringify(attributes);
    const known = all.get(key);
    if (known !== undefined) return known;
    // The overflow series is one of them.
    const isFull = all.size >= (this.#options.maxSeries ?? 2000) - 1;
    const chosen = isFull ? OVERFLOW : attributes;
    const chosenKey = isFull ? 'overflow' : key;
    const existing = all.get(chosenKey);
    if (existing !== undefined) return existing;
    const buckets = instrument.type === 'histogram' ? new Array<number>(instrument.bounds.length + 1).fill(0) : [];
    const series: Series = { instrument, attributes: chosen, count: 0, sum: 0, buckets };
    all.set(chosenKey, series);
    return series;
  }
}

/** A bound is the last value of its bucket. */
function bucketOf(bounds: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
  return bucket;
}

interface Interval {
  readonly startedAt: UnixNano;
  readonly at: UnixNano;
}

function pointOf(series: Series, times: Interval, temporality: 'delta' | 'cumulative'): MetricPoint {
  const { instrument, attributes, count, sum, buckets } = series;
  const { name, unit, description } = instrument;
  const data: MetricPoint['data'] =
    instrument.type === 'counter'
      ? { type: 'sum', value: sum, isMonotonic: true, temporality }
      : { type: 'histogram', count, sum, bounds: instrument.bounds, bucketCounts: [...buckets], temporality };
  return { name, unit, description, attributes, ...times, data };
}
