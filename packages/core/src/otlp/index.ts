/** What adapters need to deliver over OTLP: records, their encodings, and the one delivery that all of them share. */
export { createDelivery } from './deliver/delivery.ts';
export {
  type Delivery,
  DeliveryError,
  type DeliveryOptions,
  type DeliveryStats,
  type Receipt,
} from './deliver/delivery-options.ts';
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
