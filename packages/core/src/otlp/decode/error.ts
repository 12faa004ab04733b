/** `too_large` is about what a body would become in memory (nesting, number of records), never about its length in bytes. */
export type OtlpDecodeErrorCode = 'truncated' | 'malformed' | 'invalid_json' | 'invalid_field' | 'too_large';

/** A body that is not OTLP; the message names what is wrong and where (byte offset or JSON path), never its content. */
export class OtlpDecodeError extends Error {
  override readonly name = 'OtlpDecodeError';
  readonly code: OtlpDecodeErrorCode;

  constructor(code: OtlpDecodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Deeper arrays and maps of an attribute value are refused; nobody's telemetry comes near. */
export const MAX_VALUE_DEPTH = 32;

/**
 * Most submessages (records, attributes, values) of one body. A two-byte empty span becomes a hundred bytes of object, so the
 * length of a body alone bounds no memory; 64 MB of ordinary 2 KB spans have half as many.
 */
export const MAX_MESSAGES = 4_000_000;
