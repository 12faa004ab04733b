/** The class of a planted text, told by where it stands. */
export type ContentClass =
  | 'prompt'
  | 'output'
  | 'thinking'
  | 'toolInput'
  | 'toolOutput'
  /** The result of a tool that failed or was denied: its error as well. */
  | 'toolError'
  /** What an agent asks of a subagent: input of the tool and prompt of the subagent. */
  | 'task'
  | 'error'
  | 'location'
  | 'system'
  /** Content that has no place in a span. */
  | 'other';

export const CONTENT_CLASSES: readonly ContentClass[] = [
  'prompt',
  'output',
  'thinking',
  'toolInput',
  'toolOutput',
  'toolError',
  'task',
  'error',
  'location',
  'system',
  'other',
];

/** In every canary of every class. */
export const CANARY = 'kanarienvogel';

/** Plain letters: no encoding, escaping or secret scanner changes them. */
export function canaryOf(content: ContentClass): string {
  return `${CANARY}-${content.toLowerCase()}.`;
}

/** The classes whose canaries these bytes hold. */
export function canariesIn(bytes: Uint8Array | string): readonly ContentClass[] {
  const haystack =
    typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!haystack.includes(CANARY)) return [];
  return CONTENT_CLASSES.filter((content) => haystack.includes(canaryOf(content)));
}

/** A text with the canary of a class at its end, where nothing that reads its beginning is disturbed. */
export function planted(text: string, content: ContentClass): string {
  return `${text} ${canaryOf(content)}`;
}
