import type { Dialect, DialectRecord, SpanLimits } from '../../dialect/dialect.ts';
import type { CaptureOptions } from '../../model/capture-options.ts';
import { checkOneOf } from '../../model/one-of.ts';
import type { CapturedSpan, Diag, Sink } from '../../model/sink.ts';
import type { Attributes } from '../../model/span.ts';
import { checkHeader } from '../config/check-headers.ts';
import { checkUrl } from '../config/check-url.ts';
import type { Sampler } from '../config/sampler.ts';
import { sinkDiag } from '../config/sink-diag.ts';
import { type Complaints, RareComplaints } from '../deliver/complaints.ts';
import { createDelivery } from '../deliver/delivery.ts';
import type { SpoolOptions } from '../deliver/spool.ts';
import type { OutgoingSpan } from '../encode/attribute-list.ts';
import { assembleTracesJson, encodeSpanJson } from '../encode/json.ts';
import { assembleTraces, encodeSpan } from '../encode/protobuf.ts';
import type { OtlpScope } from '../records.ts';
import { otlpDelivery } from './otlp-endpoint.ts';
import type { OtlpEndpoint, OtlpProtocol } from './otlp-endpoint.ts';
import { extraRecord, spanRecord } from './span-record.ts';
import { withStartRecords } from './start-records.ts';

export interface OtlpTraceSinkOptions extends OtlpEndpoint {
  /** Unique among the sinks of a program. */
  readonly name: string;
  readonly dialect: Dialect;
  /** Who sends, over what the dialect says of it. */
  readonly resource?: Attributes;
  readonly scope?: OtlpScope;
  /** Everything unless given. */
  readonly sampler?: Sampler;
  /** Over those of the dialect, one by one. */
  readonly limits?: SpanLimits;
  /** Which content may leave for this backend; the policy of `createTracing` unless given. */
  readonly capture?: CaptureOptions;
  /** Keeps on disk what could not be delivered. */
  readonly spool?: SpoolOptions;
  /** Where diagnostics go; where those of `createTracing` go unless given. */
  readonly diag?: Diag;
  /** In place of `diag`, for what is wrong with the backend: shared by sinks that send to the same. */
  readonly complaints?: Complaints;
}

interface Codec {
  readonly encodeSpan: (span: OutgoingSpan) => Uint8Array;
  readonly assembleTraces: typeof assembleTraces;
}

const CODECS: Readonly<Record<OtlpProtocol, Codec>> = {
  'http/protobuf': { encodeSpan, assembleTraces },
  'http/json': { encodeSpan: encodeSpanJson, assembleTraces: assembleTracesJson },
};

const SCOPE: OtlpScope = { name: '@spanprism/core' };

/**
 * Sends spans to one OTLP/HTTP endpoint, spelled by a dialect: what every sink of that kind is made of. Throws a
 * `ConfigurationError` on a value it cannot work with.
 */
export function otlpTraceSink(options: OtlpTraceSinkOptions): Sink {
  const { name, dialect, capture, spool, scope = SCOPE, sampler = () => true } = options;
  check(options);
  const { diag, useDiag } = sinkDiag(options.diag);
  const codec = CODECS[options.protocol ?? 'http/protobuf'];
  const encode = encoderOf(codec, dialect, { ...dialect.limits, ...options.limits });
  const resource = { ...dialect.resource, ...options.resource };
  const delivery = {
    ...otlpDelivery('traces', options, { name, complaints: options.complaints ?? new RareComplaints(diag) }),
    assemble: (records: readonly Uint8Array[]) => codec.assembleTraces(resource, scope, records),
  };
  const traces = createDelivery({ ...delivery, ...(spool === undefined ? {} : { spool }) });
  let sampledOut = 0;
  const sink: Sink = {
    name,
    ...(capture === undefined ? {} : { capture }),
    spanEnd: (span) => {
      if (sampler(span)) traces.enqueue(encode.span(span));
      else sampledOut += 1;
    },
    flush: (deadlineMs) => traces.flush(deadlineMs),
    close: (deadlineMs) => traces.close(deadlineMs),
    persistSync: (isFinal) => traces.persistSync(isFinal),
    stats: () => {
      const { delivered, queued, dropped } = traces.stats();
      return { delivered, queued, dropped: sampledOut === 0 ? dropped : { ...dropped, sampled_out: sampledOut } };
    },
    useDiag,
  };
  return withStartRecords(sink, dialect, { delivery, encode: encode.extra, sampler, diag });
}

interface Encoder {
  span(span: CapturedSpan): Uint8Array;
  extra(span: CapturedSpan, record: DialectRecord): Uint8Array;
}

/** Below it a text says nothing any more. */
const LEAST_TEXT_BYTES = 64;

function encoderOf(codec: Codec, dialect: Dialect, given: SpanLimits): Encoder {
  const { maxSpanBytes = Infinity } = given;
  // Without limits the encoder takes attributes as they come.
  const limits = Object.keys(given).some((name) => name !== 'maxSpanBytes') ? given : undefined;
  return {
    span: (span) => {
      let encoded = codec.encodeSpan(spanRecord(span, dialect, limits));
      // Attributes are measured encoded, so their texts get less and less until the whole span fits.
      let maxTextBytes = Math.floor(Math.min(given.maxTextBytes ?? Infinity, maxSpanBytes / 2));
      while (encoded.length > maxSpanBytes && maxTextBytes >= LEAST_TEXT_BYTES) {
        encoded = codec.encodeSpan(spanRecord(span, dialect, { ...given, maxTextBytes }));
        maxTextBytes = Math.floor(maxTextBytes * Math.min(0.8, maxSpanBytes / encoded.length));
      }
      return encoded;
    },
    extra: (span, record) => codec.encodeSpan(extraRecord(span.traceId, record, limits)),
  };
}

function check({ name, url, headers, protocol, compression }: OtlpTraceSinkOptions): void {
  if (protocol !== undefined) checkOneOf('protocol', protocol, Object.keys(CODECS));
  if (compression !== undefined) checkOneOf('compression', compression, ['gzip', 'none']);
  checkUrl({ value: url, from: `the url of ${name}` });
  if (typeof headers !== 'object') return;
  for (const [header, value] of Object.entries(headers)) checkHeader(header, { value, from: `the headers of ${name}` });
}
