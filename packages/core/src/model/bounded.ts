/**
 * A set that remembers at least the last `capacity` strings, and never twice as many, so that a long conversation costs no more
 * than a short one. Generations instead of a queue: taking the oldest out of a `Map` or `Set`, again and again, makes it slow.
 */
export class RecentSet {
  readonly #capacity: number;
  #recent: Set<string> = new Set();
  #older: Set<string> = new Set();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(value: string): boolean {
    return this.#recent.has(value) || this.#older.has(value);
  }

  /** False when it was there already. */
  add(value: string): boolean {
    if (this.has(value)) return false;
    if (this.#recent.size >= this.#capacity) {
      this.#older = this.#recent;
      this.#recent = new Set();
    }
    this.#recent.add(value);
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

/** A map that remembers at least the last `capacity` keys that were set, and never twice as many. */
export class RecentMap<V> {
  readonly #capacity: number;
  #recent: Map<string, V> = new Map();
  #older: Map<string, V> = new Map();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): V | undefined {
    return this.#recent.get(key) ?? this.#older.get(key);
  }

  set(key: string, value: V): void {
    if (this.#recent.size >= this.#capacity) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
