/** More of a text is not looked at. UTF-16 units. */
const MAX_LENGTH = 400;

// Controls can drive a terminal, invisible formatting (the direction of text) can make a line read as something else, and U+2028 and
// U+2029 end it. Emoji are joined by U+200D.
const UNSAFE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

/** What drives a terminal or misleads the eye becomes U+FFFD. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, '\ufffd');
}

/** Any text as one harmless line: breaks and runs of blanks become one blank. */
export function oneLine(text: string): string {
  const line = harmless(text.slice(0, MAX_LENGTH).replace(/\s+/g, ' ').trim());
  return text.length > MAX_LENGTH ? `${line}…` : line;
}
