import type { MetricPoint } from '@spanprism/core';
import type { OtlpMetric, OtlpMetricData, OtlpNumberPoint } from '@spanprism/core/otlp';

const TEMPORALITIES = { delta: 1, cumulative: 2 } as const;

/** Points in OTLP: those of one metric together, every figure as it came. */
export function metricRecords(points: readonly MetricPoint[]): readonly OtlpMetric[] {
  const metrics = new Map<string, MetricPoint[]>();
  for (const point of points) {
    // Points that differ in one of these cannot share a metric.
    const { name, unit, data } = point;
    const key = JSON.stringify([name, unit, data.type, 'temporality' in data && data.temporality]);
    const known = metrics.get(key);
    if (known === undefined) metrics.set(key, [point]);
    else known.push(point);
  }
  return [...metrics.values()].flatMap((group) => metricOf(group));
}

function metricOf(points: readonly MetricPoint[]): OtlpMetric[] {
  const [first] = points;
  if (first === undefined) return [];
  const { name, unit, description, data } = first;
  return [{ name, unit, ...(description === undefined ? {} : { description }), data: dataOf(data, points) }];
}

function dataOf(kind: MetricPoint['data'], points: readonly MetricPoint[]): OtlpMetricData {
  switch (kind.type) {
    case 'gauge':
      return { type: 'gauge', points: points.flatMap(numberPoint) };
    case 'sum': {
      const { temporality, isMonotonic } = kind;
      return { type: 'sum', temporality: TEMPORALITIES[temporality], isMonotonic, points: points.flatMap(numberPoint) };
    }
    case 'histogram':
      return {
        type: 'histogram',
        temporality: TEMPORALITIES[kind.temporality],
        points: points.flatMap(({ attributes, startedAt, at, data }) => {
          if (data.type !== 'histogram') return [];
          const { count, sum, bounds, bucketCounts } = data;
          return [{ attributes, startedAt, at, count, sum, bounds, bucketCounts }];
        }),
      };
  }
}

// As it came: a series that changes its number type from point to point is refused by some stores.
function numberPoint({ attributes, startedAt, at, isInt = false, data }: MetricPoint): OtlpNumberPoint[] {
  return data.type === 'histogram' ? [] : [{ attributes, startedAt, at, value: data.value, isInt }];
}
