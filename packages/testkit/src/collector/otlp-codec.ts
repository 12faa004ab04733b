import protobuf from 'protobufjs/light.js';
import { isObject, type JsonObject } from '../json.ts';
import { OTLP_MESSAGES } from './otlp-schema.ts';

export type Signal = 'traces' | 'logs' | 'metrics';

/** How the messages of a signal are called, and its member that counts what was rejected. */
const MESSAGES = {
  traces: { request: 'ExportTraceServiceRequest', response: 'ExportTraceServiceResponse', rejected: 'rejectedSpans' },
  logs: { request: 'ExportLogsServiceRequest', response: 'ExportLogsServiceResponse', rejected: 'rejectedLogRecords' },
  metrics: {
    request: 'ExportMetricsServiceRequest',
    response: 'ExportMetricsServiceResponse',
    rejected: 'rejectedDataPoints',
  },
} as const satisfies Record<Signal, unknown>;

/** What a backend says of a request that it took in part. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/**
 * Decodes and encodes OTLP with protobufjs: on purpose another implementation than the one under test.
 * Both encodings decode to the shape of OTLP/JSON, with ids in hex and 64-bit numbers as decimal strings.
 */
export class OtlpCodec {
  readonly #root: protobuf.Root = protobuf.Root.fromJSON({ nested: describe() });

  /** Throws on bytes that are not the message of this signal. */
  decode(signal: Signal, bytes: Uint8Array): JsonObject {
    const type = this.#root.lookupType(MESSAGES[signal].request);
    const decoded: unknown = type.toObject(type.decode(bytes), { longs: String, bytes: String });
    return withHexIds(decoded) as JsonObject;
  }

  encodeResponse(signal: Signal, partial?: PartialSuccess): Uint8Array {
    const type = this.#root.lookupType(MESSAGES[signal].response);
    return type.encode(type.fromObject(responseBody(signal, partial))).finish();
  }
}

/** The response of a signal as OTLP/JSON. */
export function responseBody(signal: Signal, partial?: PartialSuccess): JsonObject {
  if (partial === undefined) return {};
  const { rejected, message } = partial;
  return { partialSuccess: { [MESSAGES[signal].rejected]: String(rejected), errorMessage: message } };
}

function describe(): Record<string, protobuf.IType> {
  const types = Object.entries(OTLP_MESSAGES).map(([name, fields]) => {
    const described = Object.entries(fields).map(([field, [id, type, rule]]) => {
      return [field, { id, type, ...(rule === undefined ? {} : { rule }) }];
    });
    return [name, { fields: Object.fromEntries(described) as Record<string, protobuf.IField> }];
  });
  return Object.fromEntries(types) as Record<string, protobuf.IType>;
}

const ID_FIELDS: ReadonlySet<string> = new Set(['traceId', 'spanId', 'parentSpanId']);

/** OTLP/JSON writes ids in hex, protobuf's own JSON in base64. Attribute keys are values here, never members. */
function withHexIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withHexIds);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => {
    const isId = ID_FIELDS.has(key) && typeof member === 'string';
    return [key, isId ? Buffer.from(member, 'base64').toString('hex') : withHexIds(member)];
  });
  return Object.fromEntries(members) as unknown;
}
