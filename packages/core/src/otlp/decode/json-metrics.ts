import { setText, setTime } from './fields.ts';
import type { Mutable } from './fields.ts';
import { readAttributes } from './json-attributes.ts';
import type { JsonCursor, JsonObject } from './json-cursor.ts';
import type { OtlpHistogramPoint, OtlpMetric, OtlpMetricData, OtlpNumberPoint } from '../records.ts';

/** Reads a Metric. */
export function readMetric(item: JsonObject, cursor: JsonCursor): OtlpMetric {
  const data =
    cursor.object(item, 'sum', readSum) ??
    cursor.object(item, 'gauge', readGauge) ??
    cursor.object(item, 'histogram', readHistogram);
  const metric: Mutable<OtlpMetric> = { name: cursor.text(item, 'name'), data: data ?? { type: 'other' } };
  setText(metric, 'description', cursor.text(item, 'description'));
  setText(metric, 'unit', cursor.text(item, 'unit'));
  return metric;
}

function readSum(item: JsonObject, cursor: JsonCursor): OtlpMetricData {
  return {
    type: 'sum',
    temporality: cursor.int32(item, 'aggregationTemporality'),
    isMonotonic: cursor.bool(item, 'isMonotonic'),
    points: readNumberPoints(item, cursor),
  };
}

function readGauge(item: JsonObject, cursor: JsonCursor): OtlpMetricData {
  return { type: 'gauge', points: readNumberPoints(item, cursor) };
}

function readHistogram(item: JsonObject, cursor: JsonCursor): OtlpMetricData {
  return {
    type: 'histogram',
    temporality: cursor.int32(item, 'aggregationTemporality'),
    points: cursor.list(item, 'dataPoints', readHistogramPoint),
  };
}

/** Without those that have no value: they mark gaps, and as numbers would only spoil sums. */
function readNumberPoints(item: JsonObject, cursor: JsonCursor): readonly OtlpNumberPoint[] {
  return cursor.list(item, 'dataPoints', readNumberPoint).filter((point) => point !== undefined);
}

function readNumberPoint(item: JsonObject, cursor: JsonCursor): OtlpNumberPoint | undefined {
  const isInt = isPresent(item['asInt']);
  if (!isInt && !isPresent(item['asDouble'])) return undefined;
  const point: Mutable<OtlpNumberPoint> = {
    attributes: readAttributes(item, cursor),
    at: cursor.uint64(item, 'timeUnixNano'),
    value: isInt ? Number(cursor.int64(item, 'asInt')) : cursor.double(item, 'asDouble'),
    isInt,
  };
  setTime(point, 'startedAt', cursor.uint64(item, 'startTimeUnixNano'));
  return point;
}

function readHistogramPoint(item: JsonObject, cursor: JsonCursor): OtlpHistogramPoint {
  const point: Mutable<OtlpHistogramPoint> = {
    attributes: readAttributes(item, cursor),
    at: cursor.uint64(item, 'timeUnixNano'),
    count: Number(cursor.uint64(item, 'count')),
    bounds: cursor.doubles(item, 'explicitBounds'),
    bucketCounts: cursor.counts(item, 'bucketCounts'),
  };
  if (isPresent(item['sum'])) point.sum = cursor.double(item, 'sum');
  setTime(point, 'startedAt', cursor.uint64(item, 'startTimeUnixNano'));
  return point;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
