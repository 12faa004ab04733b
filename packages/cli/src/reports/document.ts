/** What a terminal may take for a command or an order to turn the text around. JSON can spell every one of them by its number. */
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

/** One JSON document for programs, harmless to a terminal. Times are ISO 8601 in UTC; `bigint` has no place in it. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).replace(UNSAFE, escaped)}\n`;
}

/** The same document of an object, piece by piece, where one text could not hold it: each element of its lists is made when it is its turn. */
export function* jsonPieces(fields: Readonly<Record<string, unknown>>): Generator<string> {
  let before = '{\n';
  for (const [name, value] of Object.entries(fields)) {
    yield `${before}  ${JSON.stringify(name)}: `;
    if (isIterable(value)) yield* listPieces(value);
    else yield indented(value, '  ');
    before = ',\n';
  }
  yield '\n}\n';
}

function* listPieces(elements: Iterable<unknown>): Generator<string> {
  let isEmpty = true;
  for (const element of elements) {
    yield `${isEmpty ? '[' : ','}\n    ${indented(element, '    ')}`;
    isEmpty = false;
  }
  yield isEmpty ? '[]' : '\n  ]';
}

function indented(value: unknown, margin: string): string {
  return JSON.stringify(value, undefined, 2).replace(UNSAFE, escaped).replaceAll('\n', `\n${margin}`);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** A text in quotes, for a message. */
export function quoted(text: unknown): string {
  return (JSON.stringify(text) ?? '').replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
