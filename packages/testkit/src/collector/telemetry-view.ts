import { asArray, asNumber, asObject, asString, type JsonObject } from '../json.ts';

/** A value of an attribute: 64-bit integers that do not fit a number are bigints. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Where a record came from. */
export interface Origin {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
}

/** Times are nanoseconds since 1970. */
export interface CollectedSpan extends Origin {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** The number of OTLP's SpanKind: 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly at: bigint; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Attributes }[];
  /** Code 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
}

export interface CollectedLog extends Origin {
  readonly at: bigint;
  readonly observedAt: bigint;
  readonly severity: { readonly number: number; readonly text: string };
  readonly eventName: string;
  readonly body: AttributeValue;
  readonly attributes: Attributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';

export interface CollectedMetric extends Origin {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: MetricKind;
  /** 1 delta, 2 cumulative, 0 where it has none. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly points: readonly MetricPoint[];
}

export interface MetricPoint {
  readonly attributes: Attributes;
  readonly startedAt: bigint;
  readonly at: bigint;
  /** Of gauges and sums. */
  readonly value?: number | bigint;
  /** Of the distributions. */
  readonly count?: number | bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bounds?: readonly number[];
  readonly bucketCounts?: readonly (number | bigint)[];
}

/** All spans of a decoded traces request. */
export function readSpans(body: JsonObject): readonly CollectedSpan[] {
  return records(body, ['resourceSpans', 'scopeSpans', 'spans']).map(({ record, origin }) => ({
    ...origin,
    traceId: asString(record['traceId']) ?? '',
    spanId: asString(record['spanId']) ?? '',
    ...optionalId('parentSpanId', record),
    name: asString(record['name']) ?? '',
    kind: asNumber(record['kind']) ?? 0,
    startedAt: readNano(record['startTimeUnixNano']),
    endedAt: readNano(record['endTimeUnixNano']),
    attributes: readAttributes(record['attributes']),
    events: asArray(record['events'])
      .map(asObject)
      .map((event) => ({
        name: asString(event['name']) ?? '',
        at: readNano(event['timeUnixNano']),
        attributes: readAttributes(event['attributes']),
      })),
    links: asArray(record['links'])
      .map(asObject)
      .map((link) => ({
        traceId: asString(link['traceId']) ?? '',
        spanId: asString(link['spanId']) ?? '',
        attributes: readAttributes(link['attributes']),
      })),
    status: {
      code: asNumber(asObject(record['status'])['code']) ?? 0,
      message: asString(asObject(record['status'])['message']) ?? '',
    },
  }));
}

/** All records of a decoded logs request. */
export function readLogs(body: JsonObject): readonly CollectedLog[] {
  return records(body, ['resourceLogs', 'scopeLogs', 'logRecords']).map(({ record, origin }) => ({
    ...origin,
    at: readNano(record['timeUnixNano']),
    observedAt: readNano(record['observedTimeUnixNano']),
    severity: { number: asNumber(record['severityNumber']) ?? 0, text: asString(record['severityText']) ?? '' },
    eventName: asString(record['eventName']) ?? '',
    body: readAnyValue(record['body']),
    attributes: readAttributes(record['attributes']),
    ...optionalId('traceId', record),
    ...optionalId('spanId', record),
  }));
}

const METRIC_KINDS: readonly MetricKind[] = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** All metrics of a decoded metrics request. */
export function readMetrics(body: JsonObject): readonly CollectedMetric[] {
  return records(body, ['resourceMetrics', 'scopeMetrics', 'metrics']).map(({ record, origin }) => {
    const kind = METRIC_KINDS.find((candidate) => record[candidate] !== undefined) ?? 'gauge';
    const data = asObject(record[kind]);
    return {
      ...origin,
      name: asString(record['name']) ?? '',
      unit: asString(record['unit']) ?? '',
      description: asString(record['description']) ?? '',
      kind,
      temporality: asNumber(data['aggregationTemporality']) ?? 0,
      isMonotonic: data['isMonotonic'] === true,
      points: asArray(data['dataPoints']).map(asObject).map(readPoint),
    };
  });
}

function readPoint(point: JsonObject): MetricPoint {
  const value = point['asInt'] === undefined ? asNumber(point['asDouble']) : readInteger(point['asInt']);
  const numbers = (['sum', 'min', 'max'] as const).flatMap((name) => {
    const number = asNumber(point[name]);
    return number === undefined ? [] : [[name, number] as const];
  });
  return {
    attributes: readAttributes(point['attributes']),
    startedAt: readNano(point['startTimeUnixNano']),
    at: readNano(point['timeUnixNano']),
    ...(value === undefined ? {} : { value }),
    ...(point['count'] === undefined ? {} : { count: readInteger(point['count']) }),
    ...Object.fromEntries(numbers),
    ...(point['explicitBounds'] === undefined
      ? {}
      : { bounds: asArray(point['explicitBounds']).map((bound) => asNumber(bound) ?? Number.NaN) }),
    ...(point['bucketCounts'] === undefined ? {} : { bucketCounts: asArray(point['bucketCounts']).map(readInteger) }),
  };
}

interface PlacedRecord {
  readonly record: JsonObject;
  readonly origin: Origin;
}

function records(body: JsonObject, path: readonly [string, string, string]): readonly PlacedRecord[] {
  const [byResource, byScope, list] = path;
  return asArray(body[byResource])
    .map(asObject)
    .flatMap((resourceGroup) => {
      const resource = readAttributes(asObject(resourceGroup['resource'])['attributes']);
      return asArray(resourceGroup[byScope])
        .map(asObject)
        .flatMap((scopeGroup) => {
          const scope = asObject(scopeGroup['scope']);
          const origin = {
            resource,
            scope: { name: asString(scope['name']) ?? '', version: asString(scope['version']) ?? '' },
          };
          return asArray(scopeGroup[list]).map((record) => ({ record: asObject(record), origin }));
        });
    });
}

/** Attributes as a plain object. Of a key that is there twice, which OTLP forbids, the values become a list. */
export function readAttributes(list: unknown): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const pair of asArray(list).map(asObject)) {
    const key = asString(pair['key']) ?? '';
    const value = readAnyValue(pair['value']);
    attributes[key] = key in attributes ? [attributes[key] ?? null, value] : value;
  }
  return attributes;
}

const ANY_VALUE: Readonly<Record<string, (value: unknown) => AttributeValue>> = {
  stringValue: (value) => asString(value) ?? '',
  boolValue: (value) => value === true,
  intValue: readInteger,
  doubleValue: (value) => (typeof value === 'string' ? Number(value) : (asNumber(value) ?? 0)),
  arrayValue: (value) => asArray(asObject(value)['values']).map(readAnyValue),
  kvlistValue: (value) => readAttributes(asObject(value)['values']),
  bytesValue: (value) => new Uint8Array(Buffer.from(asString(value) ?? '', 'base64')),
};

function readAnyValue(value: unknown): AttributeValue {
  const found = Object.entries(asObject(value)).find(([kind]) => kind in ANY_VALUE);
  return found === undefined ? null : (ANY_VALUE[found[0]]?.(found[1]) ?? null);
}

function readInteger(value: unknown): number | bigint {
  const exact = readNano(value);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

function readNano(value: unknown): bigint {
  const isInteger = typeof value === 'number' ? Number.isInteger(value) : /^-?\d+$/.test(asString(value) ?? '');
  return isInteger ? BigInt(value as string | number) : 0n;
}

function optionalId<Name extends string>(name: Name, record: JsonObject): { readonly [Key in Name]?: string } {
  const id = asString(record[name]);
  return (id === undefined || id === '' ? {} : { [name]: id }) as { readonly [Key in Name]?: string };
}
