/** What a receiver of OTLP/HTTP needs on top of `node:http`. An entry of its own: who only sends does not load it. */
export { contentTypeOf, decodeOrReject, encodingOf, refuse, send } from './exchange.ts';
export { type BodyLimits, type InTurn, readBody } from './read-body.ts';
export { type BodyTrouble, Rejected, type Rejection } from './rejected.ts';
export { encodeExportResponse, type ExportResponse } from '../encode/response.ts';
/** Whose a folder is that one process at a time may use. */
export { isAlive, type Owner, thisOwner } from '../deliver/spool-owner.ts';
