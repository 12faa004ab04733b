/** A field only where it has a value: optional means absent, never `undefined`. */
export function given<K extends string, const V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };
}
