import { given } from '../../model/given.ts';
import type { Diag } from '../../model/sink.ts';
import { suppressTracing } from '../config/suppress-tracing.ts';
import { decodeExportResponse } from '../decode/response.ts';
import type { Complaints } from '../deliver/complaints.ts';
import type { DeliveryOptions, Headers, SignRequest } from '../deliver/delivery-options.ts';
import type { OtlpSignal } from '../records.ts';

export type OtlpProtocol = 'http/protobuf' | 'http/json';

/** Where and how one signal is sent. */
export interface OtlpEndpoint {
  /** The full URL that takes the POST. */
  readonly url: string;
  readonly headers?: Headers | (() => Headers);
  /** Further headers that depend on the finished request, such as a signature of its body. */
  readonly sign?: SignRequest;
  /** `http/protobuf` unless given. */
  readonly protocol?: OtlpProtocol;
  /** `gzip` unless given. */
  readonly compression?: 'gzip' | 'none';
  /** For one request, milliseconds; 10 s unless given. */
  readonly timeoutMs?: number;
  /** Before compression; what many gateways allow unless given. */
  readonly maxBatchBytes?: number;
  readonly maxBatchItems?: number;
  /** Advice of the sink's own by HTTP status or error code, e.g. `{ 401: 'Check HONEYCOMB_API_KEY.' }`. */
  readonly fixes?: Readonly<Record<string, string>>;
}

const CONTENT_TYPES: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': 'application/x-protobuf',
  'http/json': 'application/json',
};

/** What a delivery needs to send a signal over OTLP/HTTP, all but the assembling of its records. */
export function otlpDelivery(
  signal: OtlpSignal,
  endpoint: OtlpEndpoint,
  {
    name,
    ...told
  }: { readonly name: string; readonly diag: Diag } | { readonly name: string; readonly complaints: Complaints },
): Omit<DeliveryOptions, 'assemble'> {
  const { protocol = 'http/protobuf', compression = 'gzip', timeoutMs = 10_000 } = endpoint;
  return {
    url: endpoint.url,
    ...given('headers', endpoint.headers),
    ...given('sign', endpoint.sign),
    ...given('maxBatchBytes', endpoint.maxBatchBytes),
    ...given('maxBatchItems', endpoint.maxBatchItems),
    ...given('fixes', endpoint.fixes),
    name,
    contentType: CONTENT_TYPES[protocol],
    compression,
    requestTimeoutMs: timeoutMs,
    readResponse: (body, contentType) =>
      decodeExportResponse(signal, contentType.includes('json') ? 'json' : 'protobuf', body),
    suppress: suppressTracing,
    ...told,
  };
}
