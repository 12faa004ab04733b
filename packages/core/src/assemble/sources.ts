import type { SourceName } from '../model/span.ts';

/** In the order in which spans list them. */
const NAMES = ['cli', 'hooks', 'partials', 'sdk', 'transcript', 'wire'] as const satisfies readonly SourceName[];
const BITS: Readonly<Record<SourceName, number>> = { cli: 1, hooks: 2, partials: 4, sdk: 8, transcript: 16, wire: 32 };

/** Every possible list once: each span has one, and there are few. */
const LISTS: readonly (readonly SourceName[])[] = Array.from({ length: 1 << NAMES.length }, (_, bits) =>
  Object.freeze(NAMES.filter((name) => (bits & BITS[name]) !== 0)),
);

/** Which sources saw something. */
export class Sources {
  #bits = 0;

  add(source: SourceName): void {
    this.#bits |= BITS[source];
  }

  addAll(sources: Sources): void {
    this.#bits |= sources.#bits;
  }

  has(source: SourceName): boolean {
    return (this.#bits & BITS[source]) !== 0;
  }

  get isEmpty(): boolean {
    return this.#bits === 0;
  }

  /** Sorted by name. */
  get names(): readonly SourceName[] {
    return LISTS[this.#bits] ?? [];
  }
}
