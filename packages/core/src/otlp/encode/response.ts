import { ProtobufWriter } from './writer.ts';
import type { OtlpEncoding, OtlpSignal } from '../records.ts';
import { wellFormed } from '../well-formed.ts';

/** How many records of an accepted request were refused, and why; a message without refusals is a warning. */
export interface ExportResponse {
  readonly rejected: number;
  readonly message?: string;
}

/** What OTLP/JSON calls the number of refused records. */
export const REJECTED_FIELDS: Readonly<Record<OtlpSignal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

/** The body of a 200 answer to an export; with nothing to say it is empty in protobuf and `{}` in JSON. */
export function encodeExportResponse(
  signal: OtlpSignal,
  encoding: OtlpEncoding,
  { rejected = 0, message }: Partial<ExportResponse> = {},
): Uint8Array {
  const hasNews = rejected !== 0 || Boolean(message);
  if (encoding === 'json') {
    const partialSuccess = { [REJECTED_FIELDS[signal]]: rejected, errorMessage: wellFormed(message ?? '') };
    return Buffer.from(JSON.stringify(hasNews ? { partialSuccess } : {}));
  }
  const writer = new ProtobufWriter();
  if (hasNews) {
    const start = writer.open(0x0a, 0);
    writer.int64(0x08, rejected);
    writer.string(0x12, message ?? '');
    writer.close(start, 0);
  }
  return writer.finish();
}
