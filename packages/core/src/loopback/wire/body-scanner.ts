import type { Framing } from './http-head.ts';

/** Told of the payload: where in `bytes` there is some of the body, without what frames it. */
export type OnPayload = (bytes: Buffer, start: number, end: number) => void;

const LF = 0x0a;
/** More would be no size of a chunk, but an attack on whoever reads it. */
const MAX_SIZE = 2 ** 40;

/**
 * Walks along a body as it flows by, and tells where it ends. Never changes or holds a byte of it. In a stream each event tends to be a
 * chunk of its own: what is done per chunk is done on bytes.
 */
export class BodyScanner {
  readonly #onPayload: OnPayload;
  #part: 'payload' | 'size' | 'extension' | 'after-payload' | 'trailer' | 'until-close' | 'over';
  /** Bytes of payload that are still to come; while a size is read, what it is so far. */
  #left: number;
  readonly #isChunked: boolean;
  #hasDigits = false;
  /** Whether the line of the trailer has anything in it. */
  #isLineEmpty = true;

  constructor(framing: Framing, onPayload: OnPayload) {
    this.#onPayload = onPayload;
    this.#isChunked = framing.type === 'chunked';
    this.#left = framing.type === 'length' ? framing.bytes : 0;
    this.#part = PART[framing.type];
  }

  get isOver(): boolean {
    return this.#part === 'over';
  }

  /** Its end is the end of the connection. */
  get endsWithConnection(): boolean {
    return this.#part === 'until-close';
  }

  /** Reads on from `at`; returns where the body ends in `bytes`, or their length. */
  take(bytes: Buffer, at: number): number {
    let position = at;
    while (position < bytes.length && this.#part !== 'over') {
      if (this.#part === 'payload') position = this.#payload(bytes, position);
      else if (this.#part === 'size') position = this.#size(bytes, position);
      else if (this.#part === 'until-close') {
        this.#onPayload(bytes, position, bytes.length);
        return bytes.length;
      } else position = this.#restOfLine(bytes, position);
    }
    return position;
  }

  #payload(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#onPayload(bytes, at, end);
    this.#left -= end - at;
    if (this.#left === 0) this.#part = this.#isChunked ? 'after-payload' : 'over';
    return end;
  }

  #size(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const digit = hexDigit(bytes[at] ?? 0);
      if (digit === undefined) {
        this.#part = this.#hasDigits ? 'extension' : 'until-close';
        return at;
      }
      this.#hasDigits = true;
      this.#left = this.#left * 16 + digit;
      if (this.#left <= MAX_SIZE) continue;
      // What frames itself in a way that nobody understands still passes, to its connection's end.
      this.#part = 'until-close';
      return at;
    }
    return bytes.length;
  }

  /** To the end of the line: after a size, after a chunk, or of the trailer. */
  #restOfLine(bytes: Buffer, from: number): number {
    const isTrailer = this.#part === 'trailer';
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === LF) {
        this.#endLine();
        return at + 1;
      }
      if (isTrailer && byte !== 0x0d) this.#isLineEmpty = false;
    }
    return bytes.length;
  }

  #endLine(): void {
    if (this.#part === 'extension') {
      this.#hasDigits = false;
      this.#part = this.#left === 0 ? 'trailer' : 'payload';
    } else if (this.#part === 'after-payload') this.#part = 'size';
    else if (this.#isLineEmpty) this.#part = 'over';
    this.#isLineEmpty = true;
  }
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

const PART = {
  none: 'over',
  length: 'payload',
  chunked: 'size',
  'until-close': 'until-close',
} as const satisfies Record<Framing['type'], string>;
