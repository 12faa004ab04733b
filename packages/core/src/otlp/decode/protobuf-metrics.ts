import { NO_ATTRIBUTES, readAttribute } from './attributes.ts';
import { setText, setTime } from './fields.ts';
import type { Mutable } from './fields.ts';
import type { ProtobufReader } from './reader.ts';
import type { OtlpHistogramPoint, OtlpMetric, OtlpMetricData, OtlpNumberPoint } from '../records.ts';

/** Reads a Metric; the cases are tags, as in decode-protobuf.ts. */
export function readMetric(reader: ProtobufReader): OtlpMetric {
  const metric: Mutable<OtlpMetric> = { name: '', data: OTHER };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        metric.name = reader.string();
        break;
      case 0x12:
        setText(metric, 'description', reader.string());
        break;
      case 0x1a:
        setText(metric, 'unit', reader.string());
        break;
      case 0x2a:
        metric.data = reader.message(readGauge);
        break;
      case 0x3a:
        metric.data = reader.message(readSum);
        break;
      case 0x4a:
        metric.data = reader.message(readHistogram);
        break;
      default:
        reader.skip(tag);
    }
  }
  return metric;
}

const OTHER: OtlpMetricData = Object.freeze({ type: 'other' });

function readGauge(reader: ProtobufReader): OtlpMetricData {
  const points: OtlpNumberPoint[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) pushPoint(points, reader.message(readNumberPoint));
    else reader.skip(tag);
  }
  return { type: 'gauge', points };
}

function readSum(reader: ProtobufReader): OtlpMetricData {
  const points: OtlpNumberPoint[] = [];
  let temporality = 0;
  let isMonotonic = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) pushPoint(points, reader.message(readNumberPoint));
    else if (tag === 0x10) temporality = reader.int32();
    else if (tag === 0x18) isMonotonic = reader.bool();
    else reader.skip(tag);
  }
  return { type: 'sum', temporality, isMonotonic, points };
}

function readHistogram(reader: ProtobufReader): OtlpMetricData {
  const points: OtlpHistogramPoint[] = [];
  let temporality = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) points.push(reader.message(readHistogramPoint));
    else if (tag === 0x10) temporality = reader.int32();
    else reader.skip(tag);
  }
  return { type: 'histogram', temporality, points };
}

/** A point without a value says that nothing was recorded (a gap marker); as a number it would only spoil sums. */
function pushPoint(points: OtlpNumberPoint[], point: OtlpNumberPoint | undefined): void {
  if (point !== undefined) points.push(point);
}

function readNumberPoint(reader: ProtobufReader): OtlpNumberPoint | undefined {
  const point: Mutable<OtlpNumberPoint> = { attributes: NO_ATTRIBUTES, at: 0n, value: 0, isInt: false };
  let hasValue = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x11:
        setTime(point, 'startedAt', reader.fixed64());
        break;
      case 0x19:
        point.at = reader.fixed64();
        break;
      case 0x21:
        point.value = reader.double();
        point.isInt = false;
        hasValue = true;
        break;
      case 0x31:
        point.value = Number(reader.sfixed64());
        point.isInt = true;
        hasValue = true;
        break;
      case 0x3a:
        point.attributes = readAttribute(reader, point.attributes);
        break;
      default:
        reader.skip(tag);
    }
  }
  return hasValue ? point : undefined;
}

function readHistogramPoint(reader: ProtobufReader): OtlpHistogramPoint {
  const bounds: number[] = [];
  const bucketCounts: number[] = [];
  const point: Mutable<OtlpHistogramPoint> = { attributes: NO_ATTRIBUTES, at: 0n, count: 0, bounds, bucketCounts };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x11:
        setTime(point, 'startedAt', reader.fixed64());
        break;
      case 0x19:
        point.at = reader.fixed64();
        break;
      case 0x21:
        point.count = readCount(reader);
        break;
      case 0x29:
        point.sum = reader.double();
        break;
      case 0x31:
        bucketCounts.push(readCount(reader));
        break;
      case 0x32:
        reader.packed64(bucketCounts, readCount);
        break;
      case 0x39:
        bounds.push(reader.double());
        break;
      case 0x3a:
        reader.packed64(bounds, readDouble);
        break;
      case 0x4a:
        point.attributes = readAttribute(reader, point.attributes);
        break;
      default:
        reader.skip(tag);
    }
  }
  return point;
}

function readCount(reader: ProtobufReader): number {
  return Number(reader.fixed64());
}

function readDouble(reader: ProtobufReader): number {
  return reader.double();
}
