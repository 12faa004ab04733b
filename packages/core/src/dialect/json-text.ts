/**
 * JSON of a value that came from outside; undefined where there is none to write. Values that JSON cannot hold (a bigint, a
 * cycle) can only come from a host's own objects; they lose one attribute, never the span.
 */
export function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** As `jsonText`, but a text stays as it is: quoted once more, backends would show it with its escapes. */
export function plainOrJsonText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : jsonText(value);
}
