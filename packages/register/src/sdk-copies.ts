export type Exports = Readonly<Record<string, unknown>>;
/** Answers a namespace with the members in it that are to be replaced. */
export type Wrap = (namespace: object) => object;
type Publish = (exports: Exports) => void;

interface Copy {
  readonly originals: Exports;
  exports: Exports;
  readonly publish: Publish[];
}

/**
 * The copies of the SDK that this process has loaded, by URL, each known under one or two namespaces (imported, required). The
 * wraps see what the ones before them made, so that the first to wrap a function is the one that watches it.
 */
export class SdkCopies {
  readonly #copies: Map<string, Copy> = new Map();
  readonly #wraps: Set<{ readonly wrap: Wrap }> = new Set();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** A namespace was loaded. `publish` is told at once, and again with each change, what its exports are to be. */
  loaded(url: string, namespace: object, publish: Publish): void {
    const copy = this.#copies.get(url) ?? this.#newCopy(url, namespace);
    copy.publish.push(publish);
    publish(copy.exports);
  }

  /** Wraps what is loaded and what will be. Answers the undo. */
  add(wrap: Wrap): () => void {
    const added = { wrap };
    this.#wraps.add(added);
    for (const copy of this.#copies.values()) this.#show(copy, this.#wrapped(copy.exports, wrap));
    return () => {
      if (!this.#wraps.delete(added)) return;
      for (const copy of this.#copies.values()) this.#show(copy, this.#allWrapped(copy.originals));
    };
  }

  #newCopy(url: string, namespace: object): Copy {
    const originals: Exports = { ...namespace };
    const copy: Copy = { originals, exports: this.#allWrapped(originals), publish: [] };
    this.#copies.set(url, copy);
    return copy;
  }

  #show(copy: Copy, exports: Exports): void {
    copy.exports = exports;
    for (const publish of copy.publish) publish(exports);
  }

  #allWrapped(originals: Exports): Exports {
    let exports = originals;
    for (const { wrap } of this.#wraps) exports = this.#wrapped(exports, wrap);
    return exports;
  }

  /** What a wrap throws must not become the failure of an import of the user's. */
  #wrapped(exports: Exports, wrap: Wrap): Exports {
    try {
      const wrapped = wrap(exports);
      return Object.fromEntries(Object.keys(exports).map((name) => [name, Reflect.get(wrapped, name)]));
    } catch (error) {
      this.#onFailure(error);
      return exports;
    }
  }
}
