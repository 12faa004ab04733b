import { MAX_VALUE_DEPTH } from '../decode/error.ts';
import { OtlpAttributeList } from './attribute-list.ts';
import { TOO_DEEP } from './attributes.ts';
import type { OtlpAttributes, OtlpValue } from '../records.ts';
import { wellFormed } from '../well-formed.ts';

export interface JsonKeyValue {
  readonly key: string;
  readonly value: JsonAnyValue;
}
export type JsonAnyValue = Readonly<Record<string, unknown>>;

/** OTLP/JSON's list of KeyValue. */
export function jsonAttributes(attributes: OtlpAttributes | OtlpAttributeList): readonly JsonKeyValue[] {
  if (!(attributes instanceof OtlpAttributeList)) return pairs(attributes, 1);
  const { keys, values } = attributes;
  return keys.map((key, index) => pair(key, values[index] as OtlpValue, 1));
}

/** OTLP/JSON's AnyValue. */
export function jsonValue(value: OtlpValue): JsonAnyValue {
  return valueAt(value, 1);
}

/** An integer as a number where receivers read it exactly, else as a string, which protobuf's JSON mapping allows as well. */
export function jsonInteger(value: number | bigint): number | string {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : BigInt(value).toString();
}

/** JSON has no word for these numbers; protobuf's JSON mapping has. */
export function jsonDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function pairs(attributes: OtlpAttributes, depth: number): readonly JsonKeyValue[] {
  return Object.keys(attributes).map((key) => pair(key, attributes[key] as OtlpValue, depth));
}

function pair(key: string, value: OtlpValue, depth: number): JsonKeyValue {
  return { key: wellFormed(key), value: valueAt(value, depth) };
}

function valueAt(value: OtlpValue, depth: number): JsonAnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: wellFormed(value) };
    case 'number':
      return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: jsonDouble(value) };
    case 'bigint':
      return { intValue: jsonInteger(BigInt.asIntN(64, value)) };
    case 'boolean':
      return { boolValue: value };
    case 'object':
      return value === null ? {} : objectAt(value, depth);
    default:
      return {};
  }
}

function objectAt(value: OtlpValue & object, depth: number): JsonAnyValue {
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (depth >= MAX_VALUE_DEPTH) return { stringValue: TOO_DEEP };
  return Array.isArray(value)
    ? { arrayValue: { values: value.map((item: OtlpValue) => valueAt(item, depth + 1)) } }
    : { kvlistValue: { values: pairs(value as OtlpAttributes, depth + 1) } };
}
