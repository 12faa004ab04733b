const NOTHING: ReadonlySet<never> = new Set();

/** A set that is empty most of the time, and costs next to nothing then: every tool call has some of these. */
export class SparseSet<T> {
  #items: Set<T> | undefined;

  get size(): number {
    return this.#items?.size ?? 0;
  }

  add(item: T): void {
    this.#items ??= new Set();
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items?.delete(item);
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#items ?? NOTHING).values();
  }
}
