/** Keys come from code, and there are few of them; were they ever made from data, they are forgotten when there are so many. */
const MAX_KEYS = 4096;

/** A key as it stands in a KeyValue, and the last text it was seen with: names of models, agents and sessions repeat from span to span. */
export interface KnownKey {
  readonly key: string;
  /** Tag, length and UTF-8 of the key. */
  readonly field: Uint8Array;
  lastText: string | undefined;
  /** The whole KeyValue with `lastText`, from its length on, once it was seen twice. */
  lastPair: Uint8Array | undefined;
  /** The key that last came after this one: spans of a kind have their keys in one order. */
  next: KnownKey | undefined;
}

/** Keys of attributes, each encoded once. */
export class KnownKeys {
  readonly #keys = new Map<string, KnownKey>();

  #last: KnownKey | undefined;

  of(key: string): KnownKey {
    const last = this.#last;
    const guess = last?.next;
    if (guess !== undefined && guess.key === key) return (this.#last = guess);
    const known = this.#keys.get(key) ?? this.#learn(key);
    if (last !== undefined) last.next = known;
    return (this.#last = known);
  }

  #learn(key: string): KnownKey {
    if (this.#keys.size >= MAX_KEYS) {
      this.#keys.clear();
      this.#last = undefined;
    }
    const text = Buffer.from(key);
    const length = [];
    for (let rest = text.length; ; rest >>>= 7) {
      length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
      if (rest <= 0x7f) break;
    }
    const known: KnownKey = {
      key,
      field: new Uint8Array([0x0a, ...length, ...text]),
      lastText: undefined,
      lastPair: undefined,
      next: undefined,
    };
    this.#keys.set(key, known);
    return known;
  }
}
