/** A field only where it has a value: optional means absent, never `undefined`. */
export function given<K extends string, const V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };
}

/** Of these fields those that have a value. */
export function pickGiven<T, K extends keyof T>(
  from: T,
  names: readonly K[],
): { readonly [P in K]?: Exclude<T[P], undefined> } {
  const fields = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]);
  return Object.fromEntries(fields) as { readonly [P in K]?: Exclude<T[P], undefined> };
}

/** Something in the making. What is made thousands of times per second is filled field by field: `given` and copies cost more than all else. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };
