const FIRST_CAPACITY = 16 * 1024;
/** A short ASCII text is copied faster than the call that would copy it. */
const SHORT_TEXT = 24;
/** From here on it pays to ask how many bytes a text really needs. */
const LONG_TEXT = 16 * 1024;
const MAX_ID_BYTES = 16;

/**
 * Writes protobuf wire format in one pass. A length comes before what it measures, so room for the expected length is left and
 * filled in afterwards; a guess that was a byte short moves what was written, so lengths always have their shortest form.
 */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(this.#bytes.buffer, 0, 0);
  #position = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#position;
  }

  /** The bytes written, as a copy. */
  copy(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#position));
  }

  /** Starts over and keeps the memory, unless that is more than `mostBytes`. */
  reset(mostBytes: number): void {
    this.#position = 0;
    if (this.#bytes.length > mostBytes) this.#allocate(FIRST_CAPACITY);
  }

  /** Opens a message of about `estimate` bytes in field `tag`; give both to `close`. */
  open(tag: number, estimate: number): number {
    this.#room(20);
    this.#varint(tag);
    return (this.#position += varintSize(estimate));
  }

  close(start: number, estimate: number): void {
    const length = this.#position - start;
    this.#patchLength(start, varintSize(estimate), length);
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
    this.#room(20 + (length < LONG_TEXT ? length * 3 : Buffer.byteLength(text)));
    this.#varint(tag);
    if (length <= SHORT_TEXT && this.#ascii(text)) return;
    const reserved = varintSize(length);
    const start = this.#position + reserved;
    const written = this.#bytes.write(text, start);
    this.#position = start + written;
    this.#patchLength(start, reserved, written);
  }

  /** An id from hex. */
  id(tag: number, hex: string): void {
    this.#room(20 + MAX_ID_BYTES);
    this.#varint(tag);
    const start = this.#position + 1;
    const written = this.#bytes.write(hex, start, MAX_ID_BYTES, 'hex');
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

  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#position + 1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    bytes[start - 1] = text.length;
    this.#position = start + text.length;
    return true;
  }

  #patchLength(start: number, reserved: number, length: number): void {
    const size = varintSize(length);
    const end = this.#position;
    if (size !== reserved) {
      this.#room(size);
      this.#bytes.copyWithin(start + size - reserved, start, end);
    }
    this.#position = start - reserved;
    this.#varint(length);
    this.#position += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#position++] = rest;
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
    const needed = this.#position + length;
    if (needed > this.#bytes.length) this.#allocate(Math.max(FIRST_CAPACITY, needed, this.#bytes.length * 2));
  }

  #allocate(capacity: number): void {
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(grown, 0, 0, this.#position);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, capacity);
  }
}

/** Bytes that a length takes as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
