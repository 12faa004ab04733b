import { type AttributeMap, newAttributes } from './attribute-map.ts';
import type { ProtobufReader } from './reader.ts';
import type { OtlpAttributes, OtlpValue } from '../records.ts';

/** Shared by all records without attributes. */
export const NO_ATTRIBUTES: OtlpAttributes = Object.freeze(newAttributes());

/**
 * Reads one KeyValue into `known`, or into a new map when that is still empty, unless its key is not wanted; of a repeated key the last
 * one counts.
 */
export function readAttribute(reader: ProtobufReader, known: OtlpAttributes): OtlpAttributes {
  let key: string | undefined = '';
  let value: OtlpValue = null;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) key = reader.key();
    else if (tag === 0x12 && key !== undefined) value = readValue(reader);
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (key === undefined) return known;
  const attributes = known === NO_ATTRIBUTES ? newAttributes() : (known as AttributeMap);
  attributes[key] = value;
  return attributes;
}

/** Reads an AnyValue; null when it has none of the kinds known here. */
export function readValue(reader: ProtobufReader): OtlpValue {
  let value: OtlpValue = null;
  const outer = reader.enterValue();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        value = reader.value();
        break;
      case 0x10:
        value = reader.bool();
        break;
      case 0x18:
        value = reader.int64();
        break;
      case 0x21:
        value = reader.double();
        break;
      case 0x2a:
        value = reader.message(readArray);
        break;
      case 0x32:
        value = reader.message(readMap);
        break;
      case 0x3a:
        value = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leaveValue(outer);
  return value;
}

function readArray(reader: ProtobufReader): readonly OtlpValue[] {
  const values: OtlpValue[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) values.push(readValue(reader));
    else reader.skip(tag);
  }
  return values;
}

function readMap(reader: ProtobufReader): OtlpAttributes {
  let attributes = NO_ATTRIBUTES;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) attributes = readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  return attributes;
}
