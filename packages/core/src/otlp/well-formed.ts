/// <reference lib="es2024.string" />

/** The text with each lone surrogate replaced by U+FFFD: such text has no UTF-8, and JSON parsers of many backends refuse its escape. */
export function wellFormed(text: string): string {
  return text.toWellFormed();
}
