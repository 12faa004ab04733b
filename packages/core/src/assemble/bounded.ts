/** A set that remembers the last `capacity` strings, so that a long conversation costs no more than a short one. */
export class RecentSet {
  readonly #ring: (string | undefined)[];
  readonly #members: Set<string> = new Set();
  #next = 0;

  constructor(capacity: number) {
    this.#ring = new Array<string | undefined>(capacity);
  }

  has(value: string): boolean {
    return this.#members.has(value);
  }

  /** False when it was there already. */
  add(value: string): boolean {
    if (this.#members.has(value)) return false;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#members.delete(oldest);
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#members.add(value);
    return true;
  }
}

/** A set of whole numbers that fills up from 0: it costs no more than its gaps. */
export class FilledNumbers {
  readonly #beyond: Set<number> = new Set();
  #below = 0;

  has(value: number): boolean {
    return value < this.#below || this.#beyond.has(value);
  }

  add(value: number): void {
    this.#beyond.add(value);
    while (this.#beyond.delete(this.#below)) this.#below += 1;
  }
}

/** A map that remembers the last `capacity` keys that were set. */
export class RecentMap<V> {
  readonly #entries: Map<string, V> = new Map();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }
}
