import { stripVTControlCharacters } from 'node:util';
import { bytes, cutToCells, oneLine } from '@spanprism/core/terminal';

export interface Room {
  /** Terminal cells per line; longer ones are broken. Infinity breaks none. */
  readonly cells: number;
  /** Lines at most: of longer texts the middle is left out. Absent = all. */
  readonly lines?: number;
}

/** Where no terminal says how long a line may be, those of a shortened text are no longer than this. */
const MAX_CELLS = 160;
/** More than this of either end is never shown of a shortened text. UTF-16 units. */
const MAX_END = 16_000;
const TAB = '    ';

/** Any text as lines that fit. What drives a terminal by intention (colours of a test run) is taken out; printing makes the rest harmless. */
export function textLines(text: string, { cells, lines: limit }: Room): readonly string[] {
  if (limit === undefined) return linesOf(text, cells);
  const width = Math.min(cells, MAX_CELLS);
  const head = linesOf(text.slice(0, MAX_END), width);
  if (text.length <= MAX_END && head.length <= limit) return head;
  const tail = linesOf(text.slice(-MAX_END), width);
  const first = head.slice(0, Math.ceil(limit / 2));
  const last = tail.slice(tail.length - Math.floor(limit / 2));
  const shown = [...first, ...last].reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  const rest = bytes(Math.max(1, Buffer.byteLength(text) - shown));
  return [...first, `… ${rest} more, --full shows all`, ...last];
}

/** A text as one line, likewise. */
export function textLine(text: string): string {
  return oneLine(stripVTControlCharacters(text));
}

function linesOf(text: string, width: number): readonly string[] {
  return stripVTControlCharacters(text)
    .replace(/\r\n?|\u2028|\u2029/g, '\n')
    .replaceAll('\t', TAB)
    .trimEnd()
    .split('\n')
    .flatMap((line) => broken(line, Math.max(1, width)));
}

/** At the last blank that fits, or in the middle of a long word. */
function broken(line: string, width: number): readonly string[] {
  if (width === Number.POSITIVE_INFINITY) return [line];
  const pieces: string[] = [];
  let rest = line;
  for (;;) {
    // A line can be as long as a file: no more of it is measured than could fit.
    const fits = cutToCells(rest.slice(0, 4 * width), width) || firstCharacter(rest);
    if (fits.length === rest.length) return [...pieces, rest];
    const blank = fits.lastIndexOf(' ');
    const end = blank > fits.length / 2 ? blank : fits.length;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^ /, '');
  }
}

/** Of a wide character on a terminal of one cell. */
function firstCharacter(text: string): string {
  const [first = ''] = text;
  return first;
}

/** What a tool was given or gave, as text: the words of content blocks, an object as `key: value` lines, anything else as JSON. */
export function contentText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(blockText).join('\n');
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(entryText).join('\n');
  return JSON.stringify(value) ?? '';
}

function blockText(block: unknown): string {
  if (typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string') {
    return block.text;
  }
  return JSON.stringify(block) ?? '';
}

function entryText([key, value]: readonly [string, unknown]): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.includes('\n') ? `${key}:\n${text.replace(/^/gm, '  ')}` : `${key}: ${text}`;
}
