import { OtlpDecodeError } from './error.ts';
import { decodeJson } from './json.ts';
import { decodeProtobuf } from './protobuf.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../records.ts';

export { OtlpDecodeError } from './error.ts';
export type { OtlpDecodeErrorCode } from './error.ts';

const DECODERS: Record<OtlpEncoding, (signal: OtlpSignal, body: Uint8Array) => OtlpRequest> = {
  protobuf: decodeProtobuf,
  json: decodeJson,
};

/**
 * Reads the (uncompressed) body of an OTLP/HTTP export request.
 * Throws an OtlpDecodeError and nothing else, whatever the bytes. Attribute maps have no prototype; strings are well-formed Unicode.
 */
export function decodeOtlp(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array): OtlpRequest {
  try {
    return DECODERS[encoding](signal, body);
  } catch (error) {
    if (error instanceof OtlpDecodeError) throw error;
    // The engine's own limits, such as the longest possible string.
    throw new OtlpDecodeError('malformed', `OTLP ${encoding}: the body cannot be read`, { cause: error });
  }
}
