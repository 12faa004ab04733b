import { newAttributes } from './attribute-map.ts';
import { NO_ATTRIBUTES } from './attributes.ts';
import { MAX_VALUE_DEPTH } from './error.ts';
import type { JsonCursor, JsonObject } from './json-cursor.ts';
import type { OtlpAttributes, OtlpValue } from '../records.ts';

/** Reads the `attributes` of any record; of a repeated key the last one counts. */
export function readAttributes(item: JsonObject, cursor: JsonCursor): OtlpAttributes {
  return readPairs(item, cursor, { field: 'attributes', depth: 1 });
}

/** Reads an AnyValue; null when it has none of the kinds known here. */
export function readValue(item: JsonObject, cursor: JsonCursor): OtlpValue {
  return readAt(item, cursor, 1);
}

type ReadValue = (item: JsonObject, cursor: JsonCursor, depth: number) => OtlpValue;

const KINDS: Readonly<Record<string, ReadValue>> = {
  stringValue: (item, cursor) => cursor.text(item, 'stringValue'),
  intValue: (item, cursor) => cursor.int64(item, 'intValue'),
  boolValue: (item, cursor) => cursor.bool(item, 'boolValue'),
  doubleValue: (item, cursor) => cursor.double(item, 'doubleValue'),
  arrayValue: (item, cursor, depth) =>
    cursor.object(item, 'arrayValue', (list) => readArray(list, cursor, depth + 1)) ?? null,
  kvlistValue: (item, cursor, depth) =>
    cursor.object(item, 'kvlistValue', (map) => readPairs(map, cursor, { field: 'values', depth: depth + 1 })) ?? null,
  bytesValue: (item, cursor) => cursor.bytes(item, 'bytesValue'),
};
const KIND_NAMES = Object.keys(KINDS);

function readAt(item: JsonObject, cursor: JsonCursor, depth: number): OtlpValue {
  if (depth > MAX_VALUE_DEPTH) throw cursor.tooLarge(`a value nested deeper than ${MAX_VALUE_DEPTH} levels`);
  const kind = KIND_NAMES.find((name) => item[name] !== undefined && item[name] !== null);
  return kind === undefined ? null : (KINDS[kind]?.(item, cursor, depth) ?? null);
}

function readArray(list: JsonObject, cursor: JsonCursor, depth: number): readonly OtlpValue[] {
  return cursor.list(list, 'values', (item) => readAt(item, cursor, depth));
}

function readPairs(
  holder: JsonObject,
  cursor: JsonCursor,
  { field, depth }: { readonly field: string; readonly depth: number },
): OtlpAttributes {
  const attributes = newAttributes();
  let isEmpty = true;
  cursor.list(holder, field, (pair) => {
    isEmpty = false;
    attributes[cursor.text(pair, 'key')] =
      cursor.object(pair, 'value', (value) => readAt(value, cursor, depth)) ?? null;
  });
  return isEmpty ? NO_ATTRIBUTES : attributes;
}
