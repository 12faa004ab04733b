import { harmless } from '../model/one-line.ts';

/** What a piece of a line means. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'warning' | 'accent';
export type Segment = readonly [style: Style, text: string];

/** Where lines go. */
export interface Screen {
  readonly hasColor: boolean;
  /** Terminal cells per line, to which lines are cut; absent where nobody has to see them at once. */
  readonly columns?: number | undefined;
}

const SGR: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  good: '32',
  bad: '31',
  warning: '33',
  accent: '36',
};

const ELLIPSIS = '…';

/** One line: harmless whatever the segments hold, cut to the screen, painted. Blanks at the ends of a segment are kept. */
export function formatLine(
  segments: readonly Segment[],
  { hasColor, columns = Number.POSITIVE_INFINITY }: Screen,
): string {
  const safe = segments.map(([style, text]): Segment => [style, harmless(text)]);
  const isCut = cellsOf(safe.map(([, text]) => text).join('')) > columns;
  let room = isCut ? Math.max(0, columns - 1) : columns;
  let line = '';
  for (const [style, text] of safe) {
    const kept = isCut ? cutToCells(text, room) : text;
    line += hasColor && style !== 'plain' && kept !== '' ? `\u001b[${SGR[style]}m${kept}\u001b[0m` : kept;
    room -= cellsOf(kept);
    if (kept.length < text.length) break;
  }
  return isCut ? `${line}${ELLIPSIS}` : line.trimEnd();
}

/** Terminal cells of a text: two for East Asian wide characters and emoji, none for marks that combine. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character);
  return cells;
}

/** The beginning of a text that takes no more cells than given. */
export function cutToCells(text: string, cells: number): string {
  let room = cells;
  let end = 0;
  for (const character of text) {
    room -= cellsOfCharacter(character);
    if (room < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

const NO_CELL = /^(?:\p{Mn}|\p{Me}|\u200d)$/u;
/** What Unicode's East Asian Width calls wide or full width (UAX #11), in rough blocks; flags are pairs of half the width. */
const TWO_CELLS =
  /^(?!\p{Regional_Indicator})[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

function cellsOfCharacter(character: string): number {
  if ((character.codePointAt(0) ?? 0) < 0x300) return 1;
  if (NO_CELL.test(character)) return 0;
  return TWO_CELLS.test(character) ? 2 : 1;
}
