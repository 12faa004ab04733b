/** What `Buffer.write` comes down to, in every Node from 20 to 24; its sorting of arguments takes as long as the writing of most texts. */
export interface WritableBuffer extends Buffer {
  utf8Write(text: string, offset: number, length: number): number;
}

/** A short ASCII text is copied faster than the call that would copy it. */
export const SHORT_TEXT = 16;
/** Of a trace id, the longest there is. */
export const MAX_ID_BYTES = 16;

const NO_DIGIT = 255;

/** Values of hex digits by their character; 255 for all else. */
const HEX_DIGITS = new Uint8Array(128).map((_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? NO_DIGIT : digit;
});

/** Copies a text that is ASCII; false when it is not, and what was copied is waste. */
export function writeAscii(bytes: WritableBuffer, at: number, text: string): boolean {
  if (text.length > SHORT_TEXT) return bytes.utf8Write(text, at, text.length * 3) === text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[at + index] = code;
  }
  return true;
}

/** Returns how many bytes the hex has, up to the first that is none. */
export function writeHex(bytes: Uint8Array, start: number, hex: string): number {
  const most = Math.min(MAX_ID_BYTES, hex.length >> 1);
  for (let index = 0; index < most; index++) {
    const high = HEX_DIGITS[hex.charCodeAt(2 * index)] ?? NO_DIGIT;
    const low = HEX_DIGITS[hex.charCodeAt(2 * index + 1)] ?? NO_DIGIT;
    if (high === NO_DIGIT || low === NO_DIGIT) return index;
    bytes[start + index] = (high << 4) | low;
  }
  return most;
}
