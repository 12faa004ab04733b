import { KnownKeys } from './known-keys.ts';
import type { KnownKey } from './known-keys.ts';
import { MAX_ID_BYTES, SHORT_TEXT, writeAscii, writeHex } from './write-text.ts';
import type { WritableBuffer } from './write-text.ts';
import type { OtlpValue } from '../records.ts';

/**
 * Pieces of work follow each other in one slab of memory. Asking the system for memory costs more than encoding into it; a slab is
 * freed with the last piece that lies in it, so it should not be much larger than what is queued and sent together.
 */
const SLAB_BYTES = 256 * 1024;
const MAX_UINT32 = 0xffff_ffff;
/** A length that fits into one byte. */
const MAX_SHORT = 0x7f;
/** In UTF-8. */
const LONGEST_CHARACTER = 4;
const VALUE_TAG = 0x12;
/** Characters of a text that is kept for the case that it comes again. */
const MAX_REPEATED_TEXT = 1024;

/**
 * Writes protobuf wire format in one pass. A length comes before what it measures, so room for the expected length is left and
 * filled in afterwards; a guess that was a byte short moves what was written, so lengths always have their shortest form.
 */
export class ProtobufWriter {
  #bytes: WritableBuffer = Buffer.alloc(0) as WritableBuffer;
  #view: DataView = new DataView(this.#bytes.buffer, 0, 0);
  #start = 0;
  #position = 0;
  /** Where to go on after a piece with memory of its own. */
  #slab: { readonly bytes: WritableBuffer; readonly start: number } | undefined;
  readonly #keys: KnownKeys = new KnownKeys();
  #traceId = '';
  readonly #traceIdBytes: Uint8Array = new Uint8Array(MAX_ID_BYTES);

  /** Begins anew, whatever became of the last piece of work. */
  begin(): void {
    const slab = this.#slab;
    if (slab === undefined) {
      this.#start = this.#position;
    } else {
      this.#slab = undefined;
      this.#use(slab.bytes);
      this.#position = this.#start = slab.start;
    }
  }

  /** Bytes written since `begin`. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** The bytes written since `begin`: a view of memory that is not written again. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#start, this.length);
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
    this.#room(20 + length);
    const start = this.#position;
    this.#varint(tag);
    const reserved = varintSize(length);
    const at = this.#position + reserved;
    if (length <= SHORT_TEXT && writeAscii(this.#bytes, at, text)) {
      this.#bytes[at - 1] = length;
      this.#position = at + length;
      return;
    }
    const written = this.#bytes.utf8Write(text, at, this.#bytes.length - at);
    if (written !== length && this.#bytes.length - at - written < LONGEST_CHARACTER) {
      // There may have been no room for the rest. How many bytes it takes is asked only then, as asking takes as long as writing.
      this.#position = start;
      this.#room(20 + Buffer.byteLength(text));
      this.string(tag, text);
      return;
    }
    this.#position = at + written;
    this.#patchLength(reserved, written);
  }

  /** An id from hex. */
  id(tag: number, hex: string): void {
    this.#room(20 + MAX_ID_BYTES);
    this.#varint(tag);
    const at = this.#position + 1;
    // Spans of a trace come together.
    const isTraceId = hex.length === 2 * MAX_ID_BYTES;
    if (isTraceId && hex === this.#traceId) {
      this.#bytes[at - 1] = MAX_ID_BYTES;
      this.#bytes.set(this.#traceIdBytes, at);
      this.#position = at + MAX_ID_BYTES;
      return;
    }
    const length = writeHex(this.#bytes, at, hex);
    this.#bytes[at - 1] = length;
    this.#position = at + length;
    if (isTraceId && length === MAX_ID_BYTES) {
      this.#traceId = hex;
      this.#traceIdBytes.set(this.#bytes.subarray(at, this.#position));
    }
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

  /** The key of a KeyValue. */
  key(key: string): void {
    this.raw(this.#keys.of(key).field);
  }

  /**
   * Writes a KeyValue whole if it is of a text, or so short that every length is one byte and known beforehand (nearly all are).
   * False when it is not, and nothing was written.
   */
  simplePair(tag: number, key: string, value: OtlpValue): boolean {
    const known = this.#keys.of(key);
    switch (typeof value) {
      case 'string':
        return this.#textPair(tag, known, value);
      case 'number':
        return this.#numberPair(tag, known, value);
      case 'boolean':
        if (!this.#openShortPair(tag, known.field, 2)) return false;
        this.#bytes[this.#position++] = 0x10;
        this.#bytes[this.#position++] = value ? 1 : 0;
        return true;
      case 'object':
        return Array.isArray(value) && this.#shortListPair(tag, known, value);
      default:
        return false;
    }
  }

  /** Any text at all. */
  #textPair(tag: number, known: KnownKey, value: string): true {
    const { length } = value;
    const mayRepeat = length > SHORT_TEXT && length <= MAX_REPEATED_TEXT;
    const isRepeated = mayRepeat && value === known.lastText;
    if (isRepeated && known.lastPair !== undefined) {
      this.#room(1 + known.lastPair.length);
      this.#bytes[this.#position] = tag;
      this.#bytes.set(known.lastPair, this.#position + 1);
      this.#position += 1 + known.lastPair.length;
      return true;
    }
    const start = this.length;
    if (!this.#shortTextPair(tag, known.field, value)) this.#longTextPair(tag, known.field, value);
    if (isRepeated) known.lastPair = new Uint8Array(this.#bytes.subarray(this.#start + start + 1, this.#position));
    else if (mayRepeat) {
      known.lastText = value;
      known.lastPair = undefined;
    }
    return true;
  }

  #shortTextPair(tag: number, key: Uint8Array, value: string): boolean {
    // Relative, as it may go on in other memory.
    const start = this.length;
    if (!this.#openShortPair(tag, key, value.length + 2)) return false;
    if (this.#shortText(value)) return true;
    this.#position = this.#start + start;
    return false;
  }

  #longTextPair(tag: number, key: Uint8Array, value: string): void {
    const valueEstimate = value.length + 4;
    const pairEstimate = key.length + valueEstimate + 4;
    const pair = this.open(tag, pairEstimate);
    this.raw(key);
    const start = this.open(VALUE_TAG, valueEstimate);
    this.string(0x0a, value);
    this.close(start, valueEstimate);
    this.close(pair, pairEstimate);
  }

  #numberPair(tag: number, known: KnownKey, value: number): boolean {
    // -0 is not an integer on the wire.
    if (Number.isInteger(value) && value >= 0 && value <= MAX_UINT32 && !Object.is(value, -0)) {
      if (!this.#openShortPair(tag, known.field, 1 + varintSize(value))) return false;
      this.#bytes[this.#position++] = 0x18;
      this.#varint(value);
      return true;
    }
    if (Number.isSafeInteger(value) || !this.#openShortPair(tag, known.field, 9)) return false;
    this.#bytes[this.#position++] = 0x21;
    this.#view.setFloat64(this.#position, value, true);
    this.#position += 8;
    return true;
  }

  #shortListPair(tag: number, known: KnownKey, list: readonly OtlpValue[]): boolean {
    let length = 0;
    for (const item of list) {
      if (typeof item !== 'string') return false;
      length += 4 + item.length;
    }
    const start = this.length;
    if (length > MAX_SHORT || !this.#openShortPair(tag, known.field, 2 + length)) return false;
    this.#bytes[this.#position++] = 0x2a;
    this.#bytes[this.#position++] = length;
    for (const item of list as readonly string[]) {
      this.#bytes[this.#position++] = 0x0a;
      this.#bytes[this.#position++] = item.length + 2;
      if (this.#shortText(item)) continue;
      this.#position = this.#start + start;
      return false;
    }
    return true;
  }

  /** The text of an AnyValue, for which there is room; false when it is not ASCII, and what was written is waste. */
  #shortText(text: string): boolean {
    const bytes = this.#bytes;
    const at = this.#position;
    if (!writeAscii(bytes, at + 2, text)) return false;
    bytes[at] = 0x0a;
    bytes[at + 1] = text.length;
    this.#position = at + 2 + text.length;
    return true;
  }

  /** Writes a KeyValue up to its AnyValue, whose `valueLength` bytes must follow; makes room for three times as many. */
  #openShortPair(tag: number, key: Uint8Array, valueLength: number): boolean {
    const length = key.length + 2 + valueLength;
    if (length > MAX_SHORT) return false;
    this.#room(length * 3);
    const bytes = this.#bytes;
    const at = this.#position;
    bytes[at] = tag;
    bytes[at + 1] = length;
    bytes.set(key, at + 2);
    const valueAt = at + 2 + key.length;
    bytes[valueAt] = VALUE_TAG;
    bytes[valueAt + 1] = valueLength;
    this.#position = valueAt + 2;
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
    const size = Math.max(SLAB_BYTES, written * 2, written + length);
    // A piece that is larger than a slab gets memory of its own, and the next goes on in the slab.
    if (size > SLAB_BYTES) this.#slab ??= { bytes: this.#bytes, start: this.#start };
    const grown = Buffer.allocUnsafeSlow(size) as WritableBuffer;
    this.#bytes.copy(grown, 0, this.#start, this.#position);
    this.#use(grown);
    this.#start = 0;
    this.#position = written;
  }

  #use(bytes: WritableBuffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Bytes that a length takes as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
