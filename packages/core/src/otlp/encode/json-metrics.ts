import { jsonAttributes, jsonDouble, jsonInteger } from './json-attributes.ts';
import { countOf, isWireInt } from './numbers.ts';
import type { OtlpHistogramPoint, OtlpMetric, OtlpMetricData, OtlpNumberPoint } from '../records.ts';
import { wellFormed } from '../well-formed.ts';

/** OTLP/JSON's Metric. */
export function jsonMetric(metric: OtlpMetric): object {
  return {
    name: wellFormed(metric.name),
    description: metric.description === undefined ? undefined : wellFormed(metric.description),
    unit: metric.unit === undefined ? undefined : wellFormed(metric.unit),
    ...jsonData(metric.data),
  };
}

function jsonData(data: OtlpMetricData): object {
  switch (data.type) {
    case 'gauge':
      return { gauge: { dataPoints: data.points.map(jsonNumberPoint) } };
    case 'sum':
      return {
        sum: {
          aggregationTemporality: data.temporality,
          isMonotonic: data.isMonotonic,
          dataPoints: data.points.map(jsonNumberPoint),
        },
      };
    case 'histogram':
      return {
        histogram: { aggregationTemporality: data.temporality, dataPoints: data.points.map(jsonHistogramPoint) },
      };
    case 'other':
      return {};
  }
}

function jsonNumberPoint(point: OtlpNumberPoint): object {
  const value = isWireInt(point) ? { asInt: jsonInteger(point.value) } : { asDouble: jsonDouble(point.value) };
  return { ...jsonTimes(point), ...value, attributes: jsonAttributes(point.attributes) };
}

function jsonHistogramPoint(point: OtlpHistogramPoint): object {
  return {
    ...jsonTimes(point),
    count: String(countOf(point.count)),
    sum: point.sum === undefined ? undefined : jsonDouble(point.sum),
    bucketCounts: point.bucketCounts.map((count) => String(countOf(count))),
    explicitBounds: point.bounds.map(jsonDouble),
    attributes: jsonAttributes(point.attributes),
  };
}

function jsonTimes(point: { readonly startedAt?: bigint; readonly at: bigint }): object {
  return {
    startTimeUnixNano: point.startedAt === undefined ? undefined : String(point.startedAt),
    timeUnixNano: String(point.at),
  };
}
