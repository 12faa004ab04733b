/**
 * OTLP 1.x in plain objects, the same for protobuf and JSON, structured-clonable between threads.
 * Ids are lowercase hex, times are nanoseconds since the epoch; an empty id or a zero time is absent.
 */
export type OtlpValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | null
  | readonly OtlpValue[]
  | { readonly [key: string]: OtlpValue };
export type OtlpAttributes = Readonly<Record<string, OtlpValue>>;

export interface OtlpScope {
  readonly name: string;
  readonly version?: string;
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  /** W3C trace flags and the is-remote bits. */
  readonly flags?: number;
  readonly name: string;
  /** 1 INTERNAL, 2 SERVER, 3 CLIENT, 4 PRODUCER, 5 CONSUMER. */
  readonly kind: number;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly attributes: OtlpAttributes;
  readonly droppedAttributes?: number;
  readonly events: readonly OtlpEvent[];
  readonly links: readonly OtlpLink[];
  /** 0 UNSET, 1 OK, 2 ERROR. */
  readonly status: { readonly code: number; readonly message?: string };
}

export interface OtlpEvent {
  readonly name: string;
  readonly at: bigint;
  readonly attributes: OtlpAttributes;
}

export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: OtlpAttributes;
}

export interface OtlpLog {
  readonly at: bigint;
  readonly observedAt?: bigint;
  readonly severity?: number;
  readonly severityText?: string;
  readonly eventName?: string;
  readonly body?: OtlpValue;
  readonly attributes: OtlpAttributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

export interface OtlpMetric {
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  readonly data: OtlpMetricData;
}

/** `temporality`: 1 delta, 2 cumulative. Exponential histograms and summaries are passed on undecoded as `other`. */
export type OtlpMetricData =
  | {
      readonly type: 'sum';
      readonly temporality: number;
      readonly isMonotonic: boolean;
      readonly points: readonly OtlpNumberPoint[];
    }
  | { readonly type: 'gauge'; readonly points: readonly OtlpNumberPoint[] }
  | { readonly type: 'histogram'; readonly temporality: number; readonly points: readonly OtlpHistogramPoint[] }
  | { readonly type: 'other' };

export interface OtlpNumberPoint {
  readonly attributes: OtlpAttributes;
  readonly startedAt?: bigint;
  readonly at: bigint;
  readonly value: number;
  /** True when the value is an int on the wire. */
  readonly isInt: boolean;
}

export interface OtlpHistogramPoint {
  readonly attributes: OtlpAttributes;
  readonly startedAt?: bigint;
  readonly at: bigint;
  readonly count: number;
  readonly sum?: number;
  readonly bounds: readonly number[];
  readonly bucketCounts: readonly number[];
}

/** Records of one resource and one scope. */
export interface OtlpGroup<R> {
  readonly resource: OtlpAttributes;
  readonly scope: OtlpScope;
  readonly records: readonly R[];
}

export type OtlpSignal = 'traces' | 'logs' | 'metrics';
export type OtlpEncoding = 'protobuf' | 'json';
export type OtlpRequest =
  | { readonly signal: 'traces'; readonly groups: readonly OtlpGroup<OtlpSpan>[] }
  | { readonly signal: 'logs'; readonly groups: readonly OtlpGroup<OtlpLog>[] }
  | { readonly signal: 'metrics'; readonly groups: readonly OtlpGroup<OtlpMetric>[] };
