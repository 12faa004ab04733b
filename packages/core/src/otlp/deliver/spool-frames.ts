/**
 * A segment file is a log of frames: u32 length, u32 CRC-32, that many bytes (little endian). A frame is a record, or, with the
 * top bit of the length set, a list of records that are done with, as u32 pairs of first index and count.
 */
const HEADER_BYTES = 8;
const DONE_BIT = 0x8000_0000;

/** Bytes that a record takes on disk beyond its own. */
export const FRAME_OVERHEAD_BYTES: number = HEADER_BYTES;

/** Every record gets the next index of its segment, from 0. */
export interface StoredRecord {
  readonly index: number;
  readonly bytes: Uint8Array;
}

export interface SegmentContent {
  /** Those that are not done with. */
  readonly records: readonly StoredRecord[];
  /** Where the last whole frame ends; what follows was cut off by the end of its writer. */
  readonly wholeBytes: number;
  /** Damaged or cut frames. */
  readonly damaged: number;
}

export function recordHeader(record: Uint8Array): Uint8Array {
  return header(record, 0);
}

export function doneFrame(indexes: readonly number[]): Uint8Array {
  const ranges: number[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const first = ranges.at(-2);
    const count = ranges.at(-1);
    if (first !== undefined && count !== undefined && index === first + count) ranges[ranges.length - 1] = count + 1;
    else ranges.push(index, 1);
  }
  const payload = Buffer.alloc(ranges.length * 4);
  for (const [position, value] of ranges.entries()) payload.writeUInt32LE(value, position * 4);
  return Buffer.concat([header(payload, DONE_BIT), payload]);
}

/** Reads whatever is there; damage costs only the frames it hit. */
export function readSegment(file: Buffer): SegmentContent {
  const records: StoredRecord[] = [];
  const done = new Set<number>();
  let position = 0;
  let nextIndex = 0;
  let damaged = 0;
  while (position + HEADER_BYTES <= file.length) {
    const word = file.readUInt32LE(position);
    const isDone = word >= DONE_BIT;
    const end = position + HEADER_BYTES + (isDone ? word - DONE_BIT : word);
    if (end > file.length) break;
    const payload = file.subarray(position + HEADER_BYTES, end);
    const isSound = checksum(payload) === file.readUInt32LE(position + 4);
    if (!isSound) damaged += 1;
    else if (isDone) readDone(payload, done);
    else records.push({ index: nextIndex, bytes: payload });
    if (!isDone) nextIndex += 1;
    position = end;
  }
  if (position < file.length) damaged += 1;
  return { records: records.filter(({ index }) => !done.has(index)), wholeBytes: position, damaged };
}

function readDone(payload: Buffer, done: Set<number>): void {
  for (let at = 0; at + 8 <= payload.length; at += 8) {
    const first = payload.readUInt32LE(at);
    for (let index = first; index < first + payload.readUInt32LE(at + 4); index++) done.add(index);
  }
}

function header(payload: Uint8Array, flag: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32LE(payload.byteLength + flag, 0);
  head.writeUInt32LE(checksum(payload), 4);
  return head;
}

function checksum(bytes: Uint8Array): number {
  // Loaded on first use: most processes have no spool.
  return process.getBuiltinModule('node:zlib').crc32(bytes);
}
