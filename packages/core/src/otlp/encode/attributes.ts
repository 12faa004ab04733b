import { MAX_VALUE_DEPTH } from '../decode/error.ts';
import { OtlpAttributeList } from './attribute-list.ts';
import type { ProtobufWriter } from './writer.ts';
import type { OtlpAttributes, OtlpValue } from '../records.ts';

/** What receivers refuse to read below. */
export const TOO_DEEP = '[nested too deeply]';

/** Writes each attribute as a KeyValue in field `tag`. */
export function writeAttributes(
  writer: ProtobufWriter,
  tag: number,
  attributes: OtlpAttributes | OtlpAttributeList,
): void {
  const place: Place = { tag, depth: 1 };
  if (!(attributes instanceof OtlpAttributeList)) return writePairs(writer, place, attributes);
  const { keys, values } = attributes;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const value = values[index] as OtlpValue;
    if (!writer.simplePair(tag, key, value)) writeNestedPair(writer, place, [key, value]);
  }
}

/** Writes an AnyValue in field `tag`. */
export function writeValue(writer: ProtobufWriter, tag: number, value: OtlpValue): void {
  writeAt(writer, { tag, depth: 1 }, value);
}

interface Place {
  readonly tag: number;
  readonly depth: number;
}

const VALUE_TAG = 0x12;
const ITEM_TAG = 0x0a;

function writePairs(writer: ProtobufWriter, place: Place, attributes: OtlpAttributes): void {
  for (const key of Object.keys(attributes)) {
    const value = attributes[key] as OtlpValue;
    if (!writer.simplePair(place.tag, key, value)) writeNestedPair(writer, place, [key, value]);
  }
}

function writeNestedPair(
  writer: ProtobufWriter,
  { tag, depth }: Place,
  [key, value]: readonly [string, OtlpValue],
): void {
  const estimate = key.length + estimateValue(value) + 4;
  const start = writer.open(tag, estimate);
  writer.key(key);
  writeAt(writer, { tag: VALUE_TAG, depth }, value);
  writer.close(start, estimate);
}

/** Bytes of an AnyValue, near enough to reserve its length. */
function estimateValue(value: OtlpValue): number {
  return typeof value === 'string' ? value.length + 4 : 11;
}

function writeAt(writer: ProtobufWriter, { tag, depth }: Place, value: OtlpValue): void {
  const estimate = estimateValue(value);
  const start = writer.open(tag, estimate);
  switch (typeof value) {
    case 'string':
      writer.string(0x0a, value);
      break;
    case 'number':
      // -0 is not an integer on the wire.
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.int64(0x18, value);
      else writer.double(0x21, value);
      break;
    case 'boolean':
      writer.bool(0x10, value);
      break;
    case 'bigint':
      writer.int64(0x18, value);
      break;
    case 'object':
      if (value !== null) writeObject(writer, depth, value);
      break;
  }
  writer.close(start, estimate);
}

function writeObject(writer: ProtobufWriter, depth: number, value: OtlpValue & object): void {
  if (value instanceof Uint8Array) {
    writer.bytes(0x3a, value);
    return;
  }
  if (depth >= MAX_VALUE_DEPTH) {
    writer.string(0x0a, TOO_DEEP);
    return;
  }
  const place: Place = { tag: ITEM_TAG, depth: depth + 1 };
  if (isArray(value)) {
    const start = writer.open(0x2a, 0x80);
    for (const item of value) writeAt(writer, place, item);
    writer.close(start, 0x80);
  } else {
    const start = writer.open(0x32, 0x80);
    writePairs(writer, place, value);
    writer.close(start, 0x80);
  }
}

/** `Array.isArray` does not narrow a readonly array out of a union. */
function isArray(value: OtlpValue): value is readonly OtlpValue[] {
  return Array.isArray(value);
}
