import type { Framing } from './http-head.ts';

/** Told of the payload: the bytes of the body without what frames them. */
export type OnPayload = (payload: Buffer) => void;

const LF = 0x0a;
/** A size of a chunk takes eight digits at most; extensions may follow, but nobody sends long ones. */
const MAX_LINE = 1024;

/** Walks along a body as it flows by, and tells where it ends. Never changes or holds a byte of it. */
export class BodyScanner {
  readonly #onPayload: OnPayload;
  #part: 'payload' | 'size' | 'after-payload' | 'trailer' | 'until-close' | 'over';
  /** Bytes of payload that are still to come. */
  #left: number;
  readonly #isChunked: boolean;
  #line = '';

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
      if (this.#part === 'until-close') {
        this.#onPayload(position === 0 ? bytes : bytes.subarray(position));
        return bytes.length;
      }
      position = this.#part === 'payload' ? this.#payload(bytes, position) : this.#frame(bytes, position);
    }
    return position;
  }

  #payload(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#onPayload(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left === 0) this.#part = this.#isChunked ? 'after-payload' : 'over';
    return end;
  }

  #frame(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    this.#line += bytes.toString('latin1', at, end === -1 ? bytes.length : end);
    if (end === -1 && this.#line.length <= MAX_LINE) return bytes.length;
    const line = this.#line.trimEnd();
    this.#line = '';
    this.#endLine(line);
    return end === -1 ? bytes.length : end + 1;
  }

  #endLine(line: string): void {
    if (this.#part === 'after-payload') this.#part = 'size';
    else if (this.#part === 'trailer') this.#part = line === '' ? 'over' : 'trailer';
    else {
      const [digits = ''] = line.split(';', 1);
      const size = /^[0-9a-fA-F]{1,12}$/.test(digits.trim()) ? Number.parseInt(digits, 16) : undefined;
      this.#left = size ?? 0;
      // What frames itself in a way that nobody understands still passes, to its connection's end.
      this.#part = size === undefined ? 'until-close' : size === 0 ? 'trailer' : 'payload';
    }
  }
}

const PART = {
  none: 'over',
  length: 'payload',
  chunked: 'size',
  'until-close': 'until-close',
} as const satisfies Record<Framing['type'], string>;
