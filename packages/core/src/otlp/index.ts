/** What adapters need to deliver over OTLP: records, their encodings, the one delivery that all of them share, and a sink made of these. */
export { checkHeader } from './config/check-headers.ts';
export { checkUrl } from './config/check-url.ts';
export {
  type Environment,
  listed,
  pick,
  readFlag,
  readMs,
  readOption,
  readPairs,
  readText,
  type Sourced,
} from './config/environment.ts';
export { readResource, type ResourceOptions } from './config/resource.ts';
export { readSampler, type Sampler, type SamplerName, type SamplerOptions } from './config/sampler.ts';
export { writeStderr } from '../model/write-stderr.ts';
export { stderrDiag } from './config/stderr-diag.ts';
export { suppressTracing } from './config/suppress-tracing.ts';
export { wrongValue } from './config/wrong-value.ts';
export { pickGiven } from '../model/given.ts';
export { type Complaints, RareComplaints } from './deliver/complaints.ts';
export { createDelivery } from './deliver/delivery.ts';
export {
  type Delivery,
  DeliveryError,
  type DeliveryOptions,
  type DeliveryStats,
  type FinishedRequest,
  type Headers,
  type Receipt,
  type SignRequest,
} from './deliver/delivery-options.ts';
export { makeFolder } from './deliver/make-folder.ts';
export { shownUrl } from './deliver/masking.ts';
export type { SpoolOptions } from './deliver/spool.ts';
export { decodeOtlp } from './decode/decode-otlp.ts';
export { OtlpDecodeError } from './decode/error.ts';
export { decodeExportResponse } from './decode/response.ts';
export { OtlpAttributeList, type OutgoingSpan } from './encode/attribute-list.ts';
export { assembleTracesJson, encodeMetricsJson, encodeSpanJson } from './encode/json.ts';
export { assembleTraces, encodeMetrics, encodeSpan } from './encode/protobuf.ts';
export type {
  OtlpAttributes,
  OtlpEncoding,
  OtlpEvent,
  OtlpGroup,
  OtlpHistogramPoint,
  OtlpLink,
  OtlpLog,
  OtlpMetric,
  OtlpMetricData,
  OtlpNumberPoint,
  OtlpRequest,
  OtlpScope,
  OtlpSignal,
  OtlpSpan,
  OtlpValue,
} from './records.ts';
export { disabledSink } from './sink/disabled-sink.ts';
export { type OtlpEndpoint, otlpDelivery, type OtlpProtocol } from './sink/otlp-endpoint.ts';
export { otlpTraceSink, type OtlpTraceSinkOptions } from './sink/otlp-trace-sink.ts';
export { type SinkDiag, sinkDiag } from './config/sink-diag.ts';
export { spanRecord } from './sink/span-record.ts';
