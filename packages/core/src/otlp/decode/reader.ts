import { MAX_MESSAGES, MAX_VALUE_DEPTH, OtlpDecodeError } from './error.ts';
import type { OtlpDecodeErrorCode } from './error.ts';
import { SeenTexts, type SlicedBuffer } from './seen-texts.ts';
import type { WantedKeys } from './wanted-keys.ts';

/** Reads protobuf wire format from front to back; every read stays within the message that was entered last. */
export class ProtobufReader {
  readonly #bytes: SlicedBuffer;
  readonly #view: DataView;
  readonly #seen: SeenTexts;
  #position = 0;
  #limit: number;
  #messages = 0;
  #valueDepth = 0;

  constructor(body: Uint8Array, wanted?: WantedKeys) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength) as SlicedBuffer;
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.#seen = new SeenTexts(this.#bytes, this.#view, wanted);
    this.#limit = body.byteLength;
  }

  /** The next field's tag (number × 8 + wire type), 0 at the end of the message. */
  tag(): number {
    if (this.#position >= this.#limit) return 0;
    const tag = this.uint32();
    if (tag < 8) throw this.#error('malformed', 'field number 0');
    return tag;
  }

  /** Enters the message that starts here; what it returns must be handed to `leave`. */
  enter(): number {
    const end = this.#end();
    if (++this.#messages > MAX_MESSAGES) throw this.#error('too_large', `more than ${MAX_MESSAGES} messages`);
    const outer = this.#limit;
    this.#limit = end;
    return outer;
  }

  leave(outer: number): void {
    this.#limit = outer;
  }

  /** Enters an attribute value, whose nesting is bounded. */
  enterValue(): number {
    if (++this.#valueDepth > MAX_VALUE_DEPTH) {
      throw this.#error('too_large', `a value nested deeper than ${MAX_VALUE_DEPTH} levels`);
    }
    return this.enter();
  }

  leaveValue(outer: number): void {
    this.#valueDepth--;
    this.#limit = outer;
  }

  message<T>(read: (reader: ProtobufReader) => T): T {
    const outer = this.enter();
    const result = read(this);
    this.#limit = outer;
    return result;
  }

  /** A varint cut to 32 bits, as protobuf reads uint32. */
  uint32(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.#error('malformed', 'a varint longer than ten bytes');
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    return this.int64() !== 0;
  }

  /** A number where a double holds it exactly, else a bigint. */
  int64(): number | bigint {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 24) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) return joinInt64(high, low);
    }
    throw this.#error('malformed', 'a varint longer than ten bytes');
  }

  fixed32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  sfixed64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  string(): string {
    const start = this.#textStart();
    return start === this.#position ? '' : this.#bytes.utf8Slice(start, this.#position);
  }

  /** A string that other records of the body repeat: the key of an attribute; undefined when it is not wanted. */
  key(): string | undefined {
    const start = this.#textStart();
    return start === this.#position ? '' : this.#seen.key(start, this.#position);
  }

  /** A string that other records may repeat with the key that was read last. */
  value(): string {
    const start = this.#textStart();
    return start === this.#position ? '' : this.#seen.value(start, this.#position);
  }

  /** A copy: a view would keep, and clone between threads, the whole body. */
  bytes(): Uint8Array {
    const end = this.#end();
    const copy = new Uint8Array(this.#bytes.subarray(this.#position, end));
    this.#position = end;
    return copy;
  }

  /** An id of `length` bytes as hex; '' when it is absent, empty or all zero. */
  id(length: 8 | 16): string {
    const end = this.#end();
    const start = this.#position;
    if (end === start) return '';
    if (end - start !== length)
      throw this.#error('invalid_field', `an id of ${end - start} bytes instead of ${length}`);
    this.#position = end;
    for (let at = start; at < end; at++) {
      if (this.#bytes[at] !== 0) return this.#bytes.toString('hex', start, end);
    }
    return '';
  }

  /** A packed list of eight-byte numbers. */
  packed64(into: number[], read: (reader: ProtobufReader) => number): void {
    const outer = this.enter();
    while (this.#position < this.#limit) into.push(read(this));
    this.#limit = outer;
  }

  /** Passes over a field nobody asked for; groups too, which old protobuf allowed to nest. */
  skip(tag: number): void {
    const open: number[] = [];
    for (let next = tag; ; next = this.#tagInGroup()) {
      this.#skipOne(next, open);
      if (open.length === 0) return;
      if (open.length > MAX_VALUE_DEPTH) throw this.#error('too_large', `groups nested deeper than ${MAX_VALUE_DEPTH}`);
    }
  }

  #skipOne(tag: number, open: number[]): void {
    switch (tag & 7) {
      case 0:
        this.int64();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#position = this.#end();
        return;
      case 3:
        open.push(tag);
        return;
      case 4:
        if (open.pop() !== tag - 1) throw this.#error('malformed', 'the end of a group that was not open');
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw this.#error('malformed', `wire type ${tag & 7}`);
    }
  }

  #tagInGroup(): number {
    const tag = this.tag();
    if (tag === 0) throw this.#error('truncated', 'a group without an end');
    return tag;
  }

  /** Passes over a text, which ends at the position. */
  #textStart(): number {
    const end = this.#end();
    const start = this.#position;
    this.#position = end;
    return start;
  }

  #byte(): number {
    if (this.#position >= this.#limit) throw this.#error('truncated', 'a number cut off');
    return this.#bytes[this.#position++] as number;
  }

  #advance(length: number): number {
    const start = this.#position;
    if (start + length > this.#limit) throw this.#error('truncated', 'a number cut off');
    this.#position = start + length;
    return start;
  }

  /** Where the length-delimited field that starts here ends. */
  #end(): number {
    const length = this.uint32();
    const end = this.#position + length;
    if (end > this.#limit) {
      throw this.#error('truncated', `a field of ${length} bytes where ${this.#limit - this.#position} are left`);
    }
    return end;
  }

  #error(code: OtlpDecodeErrorCode, what: string): OtlpDecodeError {
    return new OtlpDecodeError(code, `OTLP protobuf: ${what} at byte ${this.#position}`);
  }
}

function joinInt64(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + (low >>> 0);
  if (Number.isSafeInteger(value)) return value;
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}
