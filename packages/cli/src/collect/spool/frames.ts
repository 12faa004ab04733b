import { crc32 } from 'node:zlib';
import type { OtlpEncoding, OtlpSignal } from '@spanprism/core/otlp';

/**
 * A segment is frames end to end: the length of the head, the length of the body (both 32 bit, little endian), a CRC-32 over head and
 * body, the head in JSON, the body as it was received. A frame that is cut short or damaged ends the segment: nothing behind it was
 * acknowledged.
 */
export interface RequestFrame {
  readonly type: 'request';
  /** Counts requests for as long as any are on disk; replay follows it. */
  readonly sequence: number;
  /** When it came, in milliseconds since 1970: with the sequence, no two are the same. */
  readonly at: number;
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  /** Who still needs it: session ids, and `FORWARDED`. */
  readonly owners: readonly string[];
}

/** An owner needs nothing up to a sequence any more. */
export interface DoneFrame {
  readonly type: 'done';
  readonly owner: string;
  readonly sequence: number;
}

export type FrameHead = RequestFrame | DoneFrame;

/** Owns what goes on to an endpoint as it came. No session is called so: session ids are not empty. */
export const FORWARDED = '';

const PREFIX_BYTES = 12;
const NO_BODY = new Uint8Array(0);

export function encodeFrame(head: FrameHead, body: Uint8Array = NO_BODY): readonly Uint8Array[] {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  prefix.writeUInt32LE(crc32(body, crc32(text)), 8);
  return body.length === 0 ? [prefix, text] : [prefix, text, body];
}

export interface FrameFound {
  readonly head: FrameHead;
  readonly body: Uint8Array;
  /** Where in the segment the body begins. */
  readonly bodyAt: number;
}

/** The frames of a segment, up to its end or the first that is not whole. */
export function* decodeFrames(segment: Buffer): Generator<FrameFound> {
  for (let at = 0; at + PREFIX_BYTES <= segment.length; ) {
    const headEnd = at + PREFIX_BYTES + segment.readUInt32LE(at);
    const end = headEnd + segment.readUInt32LE(at + 4);
    if (end > segment.length) return;
    const text = segment.subarray(at + PREFIX_BYTES, headEnd);
    const body = segment.subarray(headEnd, end);
    if (crc32(body, crc32(text)) !== segment.readUInt32LE(at + 8)) return;
    const head = readHead(text);
    if (head === undefined) return;
    yield { head, body, bodyAt: headEnd };
    at = end;
  }
}

function readHead(text: Buffer): FrameHead | undefined {
  try {
    // The checksum says that it was written by `encodeFrame`.
    return JSON.parse(text.toString('utf8')) as FrameHead;
  } catch {
    return undefined;
  }
}
