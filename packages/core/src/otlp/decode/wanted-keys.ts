interface WantedKey {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const SLOTS = 512;

/** Keys that begin alike are most of them: what tells them apart stands at the end, in the middle, and in the length. */
export function mixOf(bytes: Uint8Array, start: number, length: number): number {
  const last = bytes[start + length - 1] ?? 0;
  const middle = bytes[start + (length >> 1)] ?? 0;
  return last * 31 + middle * 3 + length * 7;
}

/** The keys of attributes that a reader asks for. They are told by their bytes: no text is made of a key, wanted or not. */
export class WantedKeys {
  readonly #slots: (readonly WantedKey[] | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);

  constructor(keys: Iterable<string>) {
    for (const text of keys) {
      const bytes = Buffer.from(text);
      const slot = mixOf(bytes, 0, bytes.length) % SLOTS;
      this.#slots[slot] = [...(this.#slots[slot] ?? []), { text, bytes }];
    }
  }

  /** The key whose bytes these are; undefined when nobody asks for it. */
  textOf(bytes: Uint8Array, start: number, length: number): string | undefined {
    const candidates = this.#slots[mixOf(bytes, start, length) % SLOTS];
    if (candidates === undefined) return undefined;
    for (const { text, bytes: own } of candidates) if (isSame(own, bytes, { start, length })) return text;
    return undefined;
  }
}

interface Range {
  readonly start: number;
  readonly length: number;
}

function isSame(own: Uint8Array, bytes: Uint8Array, { start, length }: Range): boolean {
  if (own.length !== length) return false;
  for (let at = 0; at < length; at++) if (own[at] !== bytes[start + at]) return false;
  return true;
}
