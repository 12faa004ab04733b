/** What a terminal may take for a command or an order to turn the text around. JSON can spell every one of them by its number. */
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

/** One JSON document for programs, harmless to a terminal. Times are ISO 8601 in UTC; `bigint` has no place in it. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).replace(UNSAFE, escaped)}\n`;
}

/** A text in quotes, for a message. */
export function quoted(text: unknown): string {
  return (JSON.stringify(text) ?? '').replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
