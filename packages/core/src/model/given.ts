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
