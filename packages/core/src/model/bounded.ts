/**
 * Flags of at least the last `capacity` strings, and never of twice as many, so that a long conversation costs no more than a short
 * one. Generations instead of a queue: taking the oldest out of a `Map` or `Set`, again and again, makes it slow.
 */
export class RecentFlags {
  readonly #capacity: number;
  #recent: Map<string, number> = new Map();
  #older: Map<string, number> = new Map();
  /** Not yet in a map: flags of one string come one after the other. */
  #last = '';
  #lastFlags = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Sets one flag of 31; false when it was set already. */
  add(value: string, flag: number): boolean {
    if (value !== this.#last) this.#turnTo(value);
    if ((this.#lastFlags & flag) !== 0) return false;
    this.#lastFlags |= flag;
    return true;
  }

  #turnTo(value: string): void {
    const flags = this.#recent.get(value) ?? this.#older.get(value) ?? 0;
    if (this.#recent.size >= this.#capacity) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    if (this.#lastFlags !== 0) this.#recent.set(this.#last, this.#lastFlags);
    this.#last = value;
    this.#lastFlags = flags;
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

/**
 * What is open, by name, and at least the last `capacity` of what was set. Entries are replaced and seldom deleted: a `Map` from
 * which much is deleted changes its table all the time, and each old table keeps its successor, with all that is in it, from dying young.
 */
export class OpenMap<V> {
  readonly #capacity: number;
  readonly #isOpen: (value: V) => boolean;
  #limit: number;
  #recent: Map<string, V> = new Map();
  #older: Map<string, V> = new Map();
  #age = 0;

  constructor(capacity: number, isOpen: (value: V) => boolean) {
    this.#capacity = capacity;
    this.#limit = capacity;
    this.#isOpen = isOpen;
  }

  /** How often it has begun to forget: what was set at the same age is sure to be remembered for a while. */
  get age(): number {
    return this.#age;
  }

  /** What was last set under that name, open or ended. */
  get(name: string): V | undefined {
    return this.#recent.get(name) ?? this.#older.get(name);
  }

  set(name: string, value: V): void {
    if (this.#recent.size >= this.#limit) this.#forget();
    this.#recent.set(name, value);
  }

  /** As if it had never been. */
  delete(name: string): void {
    this.#recent.delete(name);
    this.#older.delete(name);
  }

  /** Every open one, as often as it has names. */
  open(): V[] {
    return [...this.#openByName().values()];
  }

  deleteOpen(): void {
    for (const name of this.#openByName().keys()) this.delete(name);
  }

  /** What is open lives on, however old. */
  #forget(): void {
    const fresh: Map<string, V> = new Map();
    for (const [name, value] of this.#older) if (this.#isOpen(value) && !this.#recent.has(name)) fresh.set(name, value);
    this.#limit = fresh.size + this.#capacity;
    this.#older = this.#recent;
    this.#recent = fresh;
    this.#age += 1;
  }

  #openByName(): Map<string, V> {
    const open: Map<string, V> = new Map();
    for (const [name, value] of [...this.#older, ...this.#recent]) {
      if (this.#isOpen(value)) open.set(name, value);
      else open.delete(name);
    }
    return open;
  }
}
