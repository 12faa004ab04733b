const NOTHING: readonly never[] = Object.freeze([]);

/**
 * A set of what is open at one node: empty most of the time, and seldom of more than a few. Who goes through its items goes through
 * what was in it at the beginning. No `Set`: of those from which much is deleted, each table that is outgrown keeps its successor from dying young.
 */
export class SparseSet<T> {
  #items: readonly T[] = NOTHING;

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    if (this.#items.length === 0) this.#items = [item];
    else if (!this.#items.includes(item)) this.#items = [...this.#items, item];
  }

  delete(item: T): void {
    if (!this.#items.includes(item)) return;
    this.#items = this.#items.length === 1 ? NOTHING : this.#items.filter((other) => other !== item);
  }

  /** In the order in which they came. */
  get items(): readonly T[] {
    return this.#items;
  }
}
