/** How much of a text one line may show, in UTF-16 units. */
const LONGEST = 400;

/** Content as one line that no terminal mistakes for commands: control characters and escapes become visible, breaks become spaces. */
export function oneLine(text: string): string {
  return (
    text
      .slice(0, LONGEST)
      .replace(/\s+/g, ' ')
      // All controls and invisible formatting, the direction of text included; but emoji are joined by U+200D.
      .replace(/(?!\u200d)[\p{Cc}\p{Cf}]/gu, '\ufffd')
      .trim()
  );
}

/** Cut to `columns`, with an ellipsis. Wide characters are counted as one: a line may still wrap, never break. */
export function fit(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  const characters = Array.from(text);
  return characters.length <= columns ? text : `${characters.slice(0, Math.max(1, columns - 1)).join('')}…`;
}

export type Paint = (text: string) => string;

export interface Palette {
  readonly dim: Paint;
  readonly bold: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** ANSI colours, or none. */
export function palette(isColored: boolean): Palette {
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      isColored ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    dim: paint(2, 22),
    bold: paint(1, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}
