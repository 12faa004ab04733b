/**
 * What a terminal of so many columns shows of a program's output, with all that has scrolled out of sight: enough of ECMA-48 for a
 * program that draws lines of text. Colours are left out.
 */
export function screenOf(
  output: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const screen = new Screen(columns, rows);
  for (const [piece, , parameters, final] of output.matchAll(PIECES)) {
    if (final !== undefined) screen.control(final, (parameters ?? '').split(';').map(Number));
    else if (piece === '\r') screen.column = 0;
    else if (piece === '\n') screen.down(1);
    else if (piece === '\b') screen.column = Math.max(0, screen.column - 1);
    else if (piece >= ' ' && !piece.startsWith('\x1b')) screen.write(piece);
  }
  return screen.text();
}

/** A control sequence with its parameters and final byte, another escape, or one character. */
const PIECES = new RegExp(
  String.raw`${'\x1b'}(\[([0-9;]*)([A-Za-z])|\[[?<>=][0-9;$]*[A-Za-z]|\][^${'\x07\x1b'}]*${'\x07'}?|[()][A-Z0-9]|.)|[^]`,
  'gu',
);

class Screen {
  readonly #lines: string[][] = [];
  readonly #columns: number;
  readonly #rows: number;
  /** Index of the first line in sight. */
  #top = 0;
  #line = 0;
  column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  write(character: string): void {
    if (this.column >= this.#columns) {
      this.column = 0;
      this.down(1);
    }
    this.#at(this.#line)[this.column] = character;
    this.column += 1;
  }

  down(lines: number): void {
    this.#line += lines;
    this.#top = Math.max(this.#top, this.#line - this.#rows + 1);
  }

  control(final: string, [first = 0, second = 0]: readonly number[]): void {
    const count = Math.max(1, first);
    const moves: Readonly<Record<string, () => void>> = {
      A: () => (this.#line = Math.max(this.#top, this.#line - count)),
      B: () => (this.#line = Math.min(this.#top + this.#rows - 1, this.#line + count)),
      C: () => (this.column = Math.min(this.#columns - 1, this.column + count)),
      D: () => (this.column = Math.max(0, this.column - count)),
      E: () => this.control('B', [count]) ?? (this.column = 0),
      F: () => this.control('A', [count]) ?? (this.column = 0),
      G: () => (this.column = count - 1),
      H: () => {
        this.#line = this.#top + count - 1;
        this.column = Math.max(1, second) - 1;
      },
      d: () => (this.#line = this.#top + count - 1),
      J: () => this.#eraseScreen(first),
      K: () => this.#eraseLine(first),
      X: () => void this.#at(this.#line).fill(' ', this.column, this.column + count),
    };
    moves[final]?.();
  }

  text(): string {
    const lines = Array.from(this.#lines, (line) =>
      Array.from(line ?? [], (character) => character ?? ' ')
        .join('')
        .trimEnd(),
    );
    return lines.join('\n').trim();
  }

  #at(index: number): string[] {
    return (this.#lines[index] ??= []);
  }

  #eraseLine(how: number): void {
    const line = this.#at(this.#line);
    if (how === 0) line.length = Math.min(line.length, this.column);
    else if (how === 1) line.fill(' ', 0, this.column + 1);
    else line.length = 0;
  }

  #eraseScreen(how: number): void {
    if (how === 0) {
      this.#eraseLine(0);
      this.#lines.length = Math.min(this.#lines.length, this.#line + 1);
      return;
    }
    for (let index = this.#top; index < (how === 1 ? this.#line : this.#lines.length); index += 1)
      this.#at(index).length = 0;
  }
}
