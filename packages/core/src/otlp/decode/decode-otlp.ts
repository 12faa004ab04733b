import { OtlpDecodeError } from './error.ts';
import { decodeJson } from './json.ts';
import { decodeProtobuf } from './protobuf.ts';
import { WantedKeys } from './wanted-keys.ts';
import type { OtlpEncoding, OtlpRequest, OtlpSignal } from '../records.ts';

export { OtlpDecodeError } from './error.ts';
export type { OtlpDecodeErrorCode } from './error.ts';

/**
 * Reads the (uncompressed) body of an OTLP/HTTP export request.
 * Throws an OtlpDecodeError and nothing else, whatever the bytes. Attribute maps inherit nothing; strings are well-formed Unicode.
 */
export type DecodeOtlp = (signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array) => OtlpRequest;

export const decodeOtlp: DecodeOtlp = (signal, encoding, body) => decode({ signal, encoding, body });

/**
 * Reads as `decodeOtlp` does, and need not make attributes of spans and log records, their events and resources under other keys, nor
 * what stands under other keys within them: they are most of a body. What is left out is not looked into.
 */
export function decodeOnly(keys: Iterable<string>): DecodeOtlp {
  const wanted = new WantedKeys(keys);
  return (signal, encoding, body) => decode({ signal, encoding, body, wanted });
}

interface Encoded {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  readonly body: Uint8Array;
  readonly wanted?: WantedKeys;
}

function decode({ signal, encoding, body, wanted }: Encoded): OtlpRequest {
  try {
    // JSON is parsed whole before a key is known.
    return encoding === 'protobuf' ? decodeProtobuf(signal, body, wanted) : decodeJson(signal, body);
  } catch (error) {
    if (error instanceof OtlpDecodeError) throw error;
    // The engine's own limits, such as the longest possible string.
    throw new OtlpDecodeError('malformed', `OTLP ${encoding}: the body cannot be read`, { cause: error });
  }
}
