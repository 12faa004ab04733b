import { mixOf, type WantedKeys } from './wanted-keys.ts';

/** What Node's Buffer has below `toString`, whose checks of its arguments take as long as a short text. */
export interface SlicedBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
}

/** The key of an attribute, where the body had it first, with the text that was last under it. */
interface SeenKey {
  readonly start: number;
  readonly length: number;
  /** Undefined when nobody wants what is under it. */
  readonly text: string | undefined;
  /** The key that came after it the last time. */
  next: SeenKey | undefined;
  valueStart: number;
  valueLength: number;
  value: string;
}

const SLOTS = 256;
/** Longer values are rarely the same. */
const MAX_VALUE_BYTES = 64;

/**
 * Texts that need not be made again: the records of a body have the same keys in the same order, and under many of them the same values.
 * What is taken for the same is compared byte by byte.
 */
export class SeenTexts {
  readonly #bytes: SlicedBuffer;
  readonly #view: DataView;
  readonly #wanted: WantedKeys | undefined;
  readonly #keys: (SeenKey | undefined)[] = new Array<SeenKey | undefined>(SLOTS).fill(undefined);
  #last: SeenKey = newKey(0, 0, '');

  constructor(bytes: SlicedBuffer, view: DataView, wanted?: WantedKeys) {
    this.#bytes = bytes;
    this.#view = view;
    this.#wanted = wanted;
  }

  /** Never of an empty range; undefined when it is not wanted. */
  key(start: number, end: number): string | undefined {
    const length = end - start;
    const expected = this.#last.next;
    const key = expected !== undefined && this.#isKey(expected, start, length) ? expected : this.#find(start, length);
    this.#last.next = key;
    this.#last = key;
    return key.text;
  }

  /** A value of the key that came last. */
  value(start: number, end: number): string {
    const length = end - start;
    if (length > MAX_VALUE_BYTES) return this.#bytes.utf8Slice(start, end);
    const key = this.#last;
    if (key.valueLength === length && this.#isSame(key.valueStart, start, length)) return key.value;
    key.valueStart = start;
    key.valueLength = length;
    key.value = this.#bytes.utf8Slice(start, end);
    return key.value;
  }

  #find(start: number, length: number): SeenKey {
    const bytes = this.#bytes;
    const slot = mixOf(bytes, start, length) % SLOTS;
    const known = this.#keys[slot];
    if (known !== undefined && this.#isKey(known, start, length)) return known;
    const wanted = this.#wanted;
    const text = wanted === undefined ? bytes.utf8Slice(start, start + length) : wanted.textOf(bytes, start, length);
    const key = newKey(start, length, text);
    this.#keys[slot] = key;
    return key;
  }

  #isKey(key: SeenKey, start: number, length: number): boolean {
    return key.length === length && this.#isSame(key.start, start, length);
  }

  /** From the end, where texts that are alike differ, and four bytes at a time. */
  #isSame(left: number, right: number, length: number): boolean {
    const view = this.#view;
    let rest = length;
    for (; rest >= 4; rest -= 4) {
      if (view.getInt32(left + rest - 4) !== view.getInt32(right + rest - 4)) return false;
    }
    for (; rest > 0; rest--) {
      if (view.getInt8(left + rest - 1) !== view.getInt8(right + rest - 1)) return false;
    }
    return true;
  }
}

function newKey(start: number, length: number, text: string | undefined): SeenKey {
  return { start, length, text, next: undefined, valueStart: 0, valueLength: 0, value: '' };
}
