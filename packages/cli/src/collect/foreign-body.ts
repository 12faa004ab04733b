import type { OtlpEncoding } from '@spanprism/core/otlp';

/**
 * A request's body without the groups (a resource and one of its scopes) at some places, counted as the decoder counts them. Everything
 * that stays, stays byte for byte in protobuf, and value for value in JSON.
 */
export function withoutGroups(body: Uint8Array, encoding: OtlpEncoding, isLeftOut: readonly boolean[]): Uint8Array {
  return encoding === 'protobuf' ? withoutInProtobuf(body, isLeftOut) : withoutInJson(body, isLeftOut);
}

/** Fields of all three export requests, and of all three kinds of resource, as opentelemetry-proto 1.x numbers them. */
const RESOURCES_TAG = 0x0a;
const SCOPES_TAG = 0x12;

function withoutInProtobuf(body: Uint8Array, isLeftOut: readonly boolean[]): Uint8Array {
  const kept: Uint8Array[] = [];
  let group = 0;
  for (const field of fieldsOf(body)) {
    if (field.tag !== RESOURCES_TAG) {
      kept.push(field.whole);
      continue;
    }
    const inner = [...fieldsOf(field.content)];
    const staying = inner.filter(({ tag }) => tag !== SCOPES_TAG || isLeftOut[group++] !== true);
    if (staying.length === inner.length) kept.push(field.whole);
    else if (staying.some(({ tag }) => tag === SCOPES_TAG)) {
      const content = Buffer.concat(staying.map(({ whole }) => whole));
      kept.push(Buffer.from([RESOURCES_TAG, ...varint(content.length)]), content);
    }
  }
  return Buffer.concat(kept);
}

interface Field {
  readonly tag: number;
  /** With its tag and length. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Of a message that has been decoded before, so that it is known to be well formed. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const [tag, afterTag] = readVarint(message, at);
    const [start, end] = extentOf(message, { wireType: tag & 7, at: afterTag });
    yield { tag, whole: message.subarray(at, end), content: message.subarray(start, end) };
    at = end;
  }
}

function extentOf(message: Uint8Array, { wireType, at }: { wireType: number; at: number }): readonly [number, number] {
  switch (wireType) {
    case 0:
      return [at, readVarint(message, at)[1]];
    case 1:
      return [at, at + 8];
    case 2: {
      const [length, start] = readVarint(message, at);
      return [start, start + length];
    }
    default:
      return [at, at + 4];
  }
}

function readVarint(bytes: Uint8Array, from: number): readonly [value: number, next: number] {
  let value = 0;
  let at = from;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 128))];
}

type JsonObject = Record<string, unknown>;

function withoutInJson(body: Uint8Array, isLeftOut: readonly boolean[]): Uint8Array {
  const request = parseExactly(Buffer.from(body).toString('utf8')) as JsonObject;
  let group = 0;
  for (const [key, resources] of Object.entries(request)) {
    if (!key.startsWith('resource')) continue;
    request[key] = objectsIn(resources).flatMap((resource) => {
      const scopesKey = Object.keys(resource).find((name) => name.startsWith('scope')) ?? '';
      const scopes = objectsIn(resource[scopesKey]);
      const staying = scopes.filter(() => isLeftOut[group++] !== true);
      return scopes.length > 0 && staying.length === 0 ? [] : [{ ...resource, [scopesKey]: staying }];
    });
  }
  return Buffer.from(JSON.stringify(request));
}

function objectsIn(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? (list as readonly JsonObject[]) : [];
}

/** Numbers that a double does not hold come out as they were written. */
function parseExactly(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    return rawJson(source);
  };
  return JSON.parse(text, revive);
}

const rawJson = (JSON as unknown as { readonly rawJSON: (text: string) => unknown }).rawJSON;
