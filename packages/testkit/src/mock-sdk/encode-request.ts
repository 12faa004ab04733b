import protobuf from 'protobufjs/light.js';
import { OTLP_MESSAGES } from '../collector/otlp-schema.ts';
import type { Signal } from '../collector/otlp-codec.ts';
import { isObject, type JsonObject } from '../json.ts';

const REQUESTS = {
  traces: 'ExportTraceServiceRequest',
  logs: 'ExportLogsServiceRequest',
  metrics: 'ExportMetricsServiceRequest',
} as const satisfies Record<Signal, string>;

const ID_FIELDS: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId']);

/** Encodes OTLP/JSON bodies as protobuf, with protobufjs: another implementation than the one that will decode them. */
export class RequestEncoder {
  readonly #root: protobuf.Root = protobuf.Root.fromJSON({ nested: nestedTypes() });

  encode(signal: Signal, payload: JsonObject): Buffer {
    const type = this.#root.lookupType(REQUESTS[signal]);
    return Buffer.from(type.encode(type.fromObject(withBinaryIds(payload) as JsonObject)).finish());
  }
}

function nestedTypes(): Record<string, protobuf.IType> {
  const types = Object.entries(OTLP_MESSAGES).map(([name, fields]) => {
    const described = Object.entries(fields).map(([field, [id, type, rule]]) => {
      return [field, { id, type, ...(rule === undefined ? {} : { rule }) }];
    });
    return [name, { fields: Object.fromEntries(described) as Record<string, protobuf.IField> }];
  });
  return Object.fromEntries(types) as Record<string, protobuf.IType>;
}

/** OTLP/JSON writes ids in hex. */
function withBinaryIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBinaryIds);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const isId = ID_FIELDS.has(name) && typeof member === 'string';
    return [name, isId ? Buffer.from(member, 'hex') : withBinaryIds(member)];
  });
  return Object.fromEntries(members) as unknown;
}
