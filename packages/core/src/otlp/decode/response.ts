import { parseObject } from './json.ts';
import { JsonCursor } from './json-cursor.ts';
import type { JsonObject } from './json-cursor.ts';
import { ProtobufReader } from './reader.ts';
import { REJECTED_FIELDS } from '../encode/response.ts';
import type { ExportResponse } from '../encode/response.ts';
import type { OtlpEncoding, OtlpSignal } from '../records.ts';

/**
 * Reads the body of a 2xx answer to an export: how many records were refused all the same (partial success). An empty body, which
 * many backends send, refuses nothing. Throws an OtlpDecodeError when the body is something else.
 */
export function decodeExportResponse(signal: OtlpSignal, encoding: OtlpEncoding, body: Uint8Array): ExportResponse {
  if (body.length === 0) return ACCEPTED;
  return encoding === 'protobuf' ? readProtobuf(new ProtobufReader(body)) : readJson(parseObject(body), signal);
}

const ACCEPTED: ExportResponse = { rejected: 0 };

function readProtobuf(reader: ProtobufReader): ExportResponse {
  let response = ACCEPTED;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) response = reader.message(readPartialSuccess);
    else reader.skip(tag);
  }
  return response;
}

function readPartialSuccess(reader: ProtobufReader): ExportResponse {
  let rejected = 0;
  let message = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) rejected = Number(reader.int64());
    else if (tag === 0x12) message = reader.string();
    else reader.skip(tag);
  }
  return toResponse(rejected, message);
}

function readJson(answer: JsonObject, signal: OtlpSignal): ExportResponse {
  const read = (item: JsonObject, cursor: JsonCursor): ExportResponse =>
    toResponse(Number(cursor.int64(item, REJECTED_FIELDS[signal])), cursor.text(item, 'errorMessage'));
  return new JsonCursor().object(answer, 'partialSuccess', read) ?? ACCEPTED;
}

function toResponse(rejected: number, message: string): ExportResponse {
  return message === '' ? { rejected } : { rejected, message };
}
