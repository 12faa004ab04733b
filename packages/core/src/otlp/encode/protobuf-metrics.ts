import { writeAttributes } from './attributes.ts';
import { countOf, isWireInt } from './numbers.ts';
import type { ProtobufWriter } from './writer.ts';
import type { OtlpHistogramPoint, OtlpMetric, OtlpMetricData, OtlpNumberPoint } from '../records.ts';

const POINT_TAG = 0x0a;
/** Of a data point with a handful of attributes, and of a list of them. */
const EXPECTED_BYTES = 0x80;

/** Writes the fields of a Metric; the numbers are tags, as in encode-protobuf.ts. */
export function writeMetric(writer: ProtobufWriter, metric: OtlpMetric): void {
  writer.string(0x0a, metric.name);
  if (metric.description) writer.string(0x12, metric.description);
  if (metric.unit) writer.string(0x1a, metric.unit);
  writeData(writer, metric.data);
}

function writeData(writer: ProtobufWriter, data: OtlpMetricData): void {
  switch (data.type) {
    case 'gauge':
      writeMessage(writer, 0x2a, () => writePoints(writer, data.points, writeNumberPoint));
      return;
    case 'sum':
      writeMessage(writer, 0x3a, () => {
        writePoints(writer, data.points, writeNumberPoint);
        writer.uint32(0x10, data.temporality);
        writer.bool(0x18, data.isMonotonic);
      });
      return;
    case 'histogram':
      writeMessage(writer, 0x4a, () => {
        writePoints(writer, data.points, writeHistogramPoint);
        writer.uint32(0x10, data.temporality);
      });
      return;
    case 'other':
      return;
  }
}

function writePoints<P>(
  writer: ProtobufWriter,
  points: readonly P[],
  write: (writer: ProtobufWriter, point: P) => void,
): void {
  for (const point of points) writeMessage(writer, POINT_TAG, () => write(writer, point));
}

function writeNumberPoint(writer: ProtobufWriter, point: OtlpNumberPoint): void {
  if (point.startedAt) writer.fixed64(0x11, point.startedAt);
  writer.fixed64(0x19, point.at);
  if (isWireInt(point)) {
    writer.fixed64(0x31, BigInt(point.value));
  } else {
    writer.double(0x21, point.value);
  }
  writeAttributes(writer, 0x3a, point.attributes);
}

function writeHistogramPoint(writer: ProtobufWriter, point: OtlpHistogramPoint): void {
  if (point.startedAt) writer.fixed64(0x11, point.startedAt);
  writer.fixed64(0x19, point.at);
  writer.fixed64(0x21, countOf(point.count));
  if (point.sum !== undefined) writer.double(0x29, point.sum);
  writer.bytes(
    0x32,
    packed64(point.bucketCounts, (view, at, count) => view.setBigUint64(at, countOf(count), true)),
  );
  writer.bytes(
    0x3a,
    packed64(point.bounds, (view, at, bound) => view.setFloat64(at, bound, true)),
  );
  writeAttributes(writer, 0x4a, point.attributes);
}

function packed64(values: readonly number[], set: (view: DataView, at: number, value: number) => void): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => set(view, index * 8, value));
  return bytes;
}

function writeMessage(writer: ProtobufWriter, tag: number, write: () => void): void {
  const start = writer.open(tag, EXPECTED_BYTES);
  write();
  writer.close(start, EXPECTED_BYTES);
}
