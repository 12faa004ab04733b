// Taken once: what Node calls `Buffer` is looked up by a function each time.
const { byteLength } = Buffer;
const SHORT_LENGTH = 256;
/** What a tool put out is measured twice: as such, and as the input of the next call. */
let measured = '';
let measuredBytes = 0;

/** UTF-8 bytes of a text; lone surrogates count as the three bytes of U+FFFD that they become. */
export function textBytes(text: string): number {
  if (text.length < SHORT_LENGTH) return byteLength(text, 'utf8');
  if (text !== measured) {
    measuredBytes = byteLength(text, 'utf8');
    measured = text;
  }
  return measuredBytes;
}

/** The longest beginning that fits into `maxBytes` of UTF-8, cut between characters, with lone surrogates replaced. */
export function truncateText(text: string, maxBytes: number): string {
  // No UTF-16 unit takes more than three bytes: short texts need no counting.
  if (text.length * 3 <= maxBytes || textBytes(text) <= maxBytes) return wellFormed(text);
  // A pair that the slice splits becomes U+FFFD behind at least maxBytes - 1 bytes, so the cut below takes it away again.
  const bytes = Buffer.from(text.slice(0, maxBytes), 'utf8');
  let end = Math.min(maxBytes, bytes.length);
  // A byte 10xxxxxx continues a character that began before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** Half characters become U+FFFD: no encoder downstream may meet one. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}
