/**
 * An object that is `original` in everything but the members that `member` answers for. Its target is an empty shadow, because a proxy
 * over a frozen object may change nothing; the original is asked with itself as `this`, for its private fields.
 */
export function standIn<T extends object>(
  original: T,
  member: (name: PropertyKey) => { readonly value: unknown } | undefined,
): T {
  return new Proxy(Object.create(null) as T, {
    get: (_, name) => {
      const own = member(name);
      return own === undefined ? Reflect.get(original, name, original) : own.value;
    },
    set: (_, name, value) => Reflect.set(original, name, value, original),
    has: (_, name) => member(name) !== undefined || Reflect.has(original, name),
    deleteProperty: (_, name) => Reflect.deleteProperty(original, name),
    defineProperty: (_, name, descriptor) => Reflect.defineProperty(original, name, descriptor),
    getPrototypeOf: () => Reflect.getPrototypeOf(original),
    ownKeys: () => Reflect.ownKeys(original),
    getOwnPropertyDescriptor: (_, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(original, name);
      const own = member(name);
      if (descriptor === undefined) return undefined;
      // What the shadow does not have must be called configurable.
      if (own === undefined) return { ...descriptor, configurable: true };
      return { value: own.value, writable: true, enumerable: descriptor.enumerable ?? true, configurable: true };
    },
  });
}

/** A copy with additions. Anything but a plain object keeps its prototype, its accessors and its private fields. */
export function withAdditions(original: object | undefined, additions: Readonly<Record<string, unknown>>): object {
  const prototype: unknown = original === undefined ? null : Object.getPrototypeOf(original);
  if (original === undefined || prototype === null || prototype === Object.prototype)
    return { ...original, ...additions };
  const names = Reflect.ownKeys(additions);
  const copy = standIn(original, (name) =>
    Object.hasOwn(additions, name) ? { value: Reflect.get(additions, name) } : undefined,
  );
  return new Proxy(copy, {
    ownKeys: () => [...new Set([...Reflect.ownKeys(original), ...names])],
    getOwnPropertyDescriptor: (_, name) => {
      if (!Object.hasOwn(additions, name)) return Reflect.getOwnPropertyDescriptor(copy, name);
      return { value: Reflect.get(additions, name), writable: true, enumerable: true, configurable: true };
    },
  });
}
