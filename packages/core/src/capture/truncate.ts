/** UTF-8 bytes of a text; lone surrogates count as the three bytes of U+FFFD that they become. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The longest beginning that fits into `maxBytes` of UTF-8, cut between characters, with lone surrogates replaced. */
export function truncateText(text: string, maxBytes: number): string {
  // No character takes more than three bytes per UTF-16 unit: short texts need no counting.
  if (text.length * 3 <= maxBytes || textBytes(text) <= maxBytes) return wellFormed(text);
  const bytes = Buffer.from(text.slice(0, maxBytes), 'utf8');
  let end = Math.min(maxBytes, bytes.length);
  // A byte 10xxxxxx continues a character that began before.
  while (end > 0 && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const cut = bytes.toString('utf8', 0, end);
  // The slice may have split a surrogate pair at its very end; the half became U+FFFD.
  return end === bytes.length && endsInHalfPair(text, maxBytes) ? cut.slice(0, -1) : cut;
}

function endsInHalfPair(text: string, length: number): boolean {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** Half characters become U+FFFD: no encoder downstream may meet one. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}
