import type { OtlpValue } from '../records.ts';

/**
 * Pieces of work follow each other in one slab of memory. Asking the system for memory costs more than encoding into it; a slab is
 * freed with the last piece that lies in it, so it should not be much larger than what is queued and sent together.
 */
const SLAB_BYTES = 256 * 1024;
/** A short ASCII text is copied faster than the call that would copy it. */
const SHORT_TEXT = 16;
const MAX_ID_BYTES = 16;
const MAX_UINT32 = 0xffff_ffff;

/** What `Buffer.write` comes down to, in every Node from 20 to 24; its sorting of arguments takes as long as the writing of most texts. */
interface WritableBuffer extends Buffer {
  utf8Write(text: string, offset: number, length: number): number;
  hexWrite(text: string, offset: number, length: number): number;
}

/**
 * Writes protobuf wire format in one pass. A length comes before what it measures, so room for the expected length is left and
 * filled in afterwards; a guess that was a byte short moves what was written, so lengths always have their shortest form.
 */
export class ProtobufWriter {
  #bytes: WritableBuffer = Buffer.alloc(0) as WritableBuffer;
  #view: DataView = new DataView(this.#bytes.buffer, 0, 0);
  #start = 0;
  #position = 0;

  /** Begins anew, whatever became of the last piece of work. */
  begin(): void {
    this.#start = this.#position;
  }

  /** Bytes written since `begin`. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** The bytes written since `begin`: a view of memory that is not written again. */
  finish(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#position);
  }

  /** Makes room for so many bytes more. */
  expect(length: number): void {
    this.#room(length);
  }

  /** Opens a message of about `estimate` bytes in field `tag`; give both to `close`. */
  open(tag: number, estimate: number): number {
    this.#room(20);
    this.#varint(tag);
    this.#position += varintSize(estimate);
    return this.length;
  }

  /** Returns the bytes that the message took. */
  close(start: number, estimate: number): number {
    const length = this.length - start;
    this.#patchLength(varintSize(estimate), length);
    return length;
  }

  /** A number of up to 32 bits, also for enums. */
  uint32(tag: number, value: number): void {
    this.#room(20);
    this.#varint(tag);
    this.#varint(value >>> 0);
  }

  bool(tag: number, value: boolean): void {
    this.uint32(tag, value ? 1 : 0);
  }

  int64(tag: number, value: number | bigint): void {
    this.#room(20);
    this.#varint(tag);
    if (typeof value === 'number') {
      this.#varint64(Math.floor(value / 0x1_0000_0000) >>> 0, value >>> 0);
    } else {
      this.#varint64(Number(BigInt.asUintN(32, value >> 32n)), Number(BigInt.asUintN(32, value)));
    }
  }

  fixed32(tag: number, value: number): void {
    this.#room(20);
    this.#varint(tag);
    this.#view.setUint32(this.#position, value, true);
    this.#position += 4;
  }

  fixed64(tag: number, value: bigint): void {
    this.#room(20);
    this.#varint(tag);
    this.#view.setBigUint64(this.#position, value, true);
    this.#position += 8;
  }

  double(tag: number, value: number): void {
    this.#room(20);
    this.#varint(tag);
    this.#view.setFloat64(this.#position, value, true);
    this.#position += 8;
  }

  /** UTF-8; a lone surrogate becomes U+FFFD. */
  string(tag: number, text: string): void {
    const length = text.length;
    // Three bytes a character at most; how many really is asked only when those would not fit.
    const most = 20 + length * 3;
    if (this.#position + most > this.#bytes.length)
      this.#room(most < SLAB_BYTES / 16 ? most : 20 + Buffer.byteLength(text));
    this.#varint(tag);
    const reserved = varintSize(length);
    const start = this.#position + reserved;
    if (length <= SHORT_TEXT && writeAscii(this.#bytes, start, text)) {
      this.#bytes[start - 1] = length;
      this.#position = start + length;
      return;
    }
    const written = this.#bytes.utf8Write(text, start, this.#bytes.length - start);
    this.#position = start + written;
    this.#patchLength(reserved, written);
  }

  /** An id from hex. */
  id(tag: number, hex: string): void {
    this.#room(20 + MAX_ID_BYTES);
    this.#varint(tag);
    const start = this.#position + 1;
    const written = this.#bytes.hexWrite(hex, start, MAX_ID_BYTES);
    this.#bytes[start - 1] = written;
    this.#position = start + written;
  }

  bytes(tag: number, bytes: Uint8Array): void {
    this.#room(20 + bytes.length);
    this.#varint(tag);
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Fields that were encoded before. */
  raw(fields: Uint8Array): void {
    this.#room(fields.length);
    this.#bytes.set(fields, this.#position);
    this.#position += fields.length;
  }

  /**
   * Writes a KeyValue whole if it is a short one with ASCII text (nearly all are): every length is then one byte and known
   * beforehand. False when it is not, and nothing was written.
   */
  shortPair(tag: number, key: string, value: OtlpValue): boolean {
    switch (typeof value) {
      case 'string':
        return this.#shortStringPair(tag, key, value);
      case 'number':
        if (!Number.isInteger(value) || value <= 0 || value > MAX_UINT32) return false;
        if (!this.#openShortPair(tag, key, 1 + varintSize(value))) return false;
        this.uint32(0x18, value);
        return true;
      case 'boolean':
        if (!this.#openShortPair(tag, key, 2)) return false;
        this.bool(0x10, value);
        return true;
      default:
        return false;
    }
  }

  #shortStringPair(tag: number, key: string, value: string): boolean {
    const start = this.#position;
    if (!this.#openShortPair(tag, key, value.length + 2)) return false;
    const bytes = this.#bytes;
    const at = this.#position + 2;
    if (!writeAscii(bytes, at, value)) {
      this.#position = start;
      return false;
    }
    bytes[at - 2] = 0x0a;
    bytes[at - 1] = value.length;
    this.#position = at + value.length;
    return true;
  }

  /** Writes a KeyValue up to its AnyValue, whose `valueLength` bytes must follow. */
  #openShortPair(tag: number, key: string, valueLength: number): boolean {
    const length = key.length + valueLength + 4;
    if (length > 0x7f) return false;
    this.#room(length * 3);
    const bytes = this.#bytes;
    const keyAt = this.#position + 4;
    const valueAt = keyAt + key.length + 2;
    if (!writeAscii(bytes, keyAt, key)) return false;
    bytes[keyAt - 4] = tag;
    bytes[keyAt - 3] = length;
    bytes[keyAt - 2] = 0x0a;
    bytes[keyAt - 1] = key.length;
    bytes[valueAt - 2] = 0x12;
    bytes[valueAt - 1] = valueLength;
    this.#position = valueAt;
    return true;
  }

  /** Puts the length before the last `length` bytes, where `reserved` bytes were left for it. */
  #patchLength(reserved: number, length: number): void {
    const size = varintSize(length);
    if (size !== reserved) {
      this.#room(size);
      const start = this.#position - length;
      this.#bytes.copyWithin(start + size - reserved, start, this.#position);
    }
    this.#position -= length + reserved;
    this.#varint(length);
    this.#position += length;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#position;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#position = at;
  }

  #varint64(high: number, low: number): void {
    let left = high;
    let right = low;
    while (left !== 0) {
      this.#bytes[this.#position++] = (right & 0x7f) | 0x80;
      right = ((right >>> 7) | (left << 25)) >>> 0;
      left >>>= 7;
    }
    this.#varint(right);
  }

  #room(length: number): void {
    if (this.#position + length > this.#bytes.length) this.#grow(length);
  }

  #grow(length: number): void {
    const written = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, written * 2, written + length)) as WritableBuffer;
    this.#bytes.copy(grown, 0, this.#start, this.#position);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    this.#start = 0;
    this.#position = written;
  }
}

/** Copies a text that is ASCII; false when it is not, and what was copied is waste. */
function writeAscii(bytes: WritableBuffer, at: number, text: string): boolean {
  if (text.length > SHORT_TEXT) return bytes.utf8Write(text, at, text.length * 3) === text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[at + index] = code;
  }
  return true;
}

/** Bytes that a length takes as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
