import type { Command, Io, OptionSpec, OptionTable } from './command.ts';
import type { CommandEntry } from './commands.ts';

/** Lines longer than this are hard to read, however wide the window. */
const MAX_COLUMNS = 100;
const MIN_COLUMNS = 40;

export const HELP_OPTION: OptionSpec = { type: 'boolean', short: 'h', description: 'Show this help' };

type Row = readonly [term: string, description: string];

/** `spanprism --help`. */
export function helpOfAll(commands: readonly CommandEntry[], io: Io): string {
  const rows: Row[] = commands.map(({ name, summary }) => [name, summary]);
  return page([
    wrap(
      'spanprism traces runs of Claude Code, keeps them locally or sends them to your backends, and answers what failed and what it cost.',
      width(io),
    ).join('\n'),
    section('Usage', ['spanprism <command> [options]', 'spanprism [options] claude [anything that claude takes]']),
    section('Commands', table(rows, io)),
    section(
      'Options',
      table(
        [
          ['-h, --help', 'Show this help; `spanprism help <command>` shows that of a command'],
          ['-v, --version', 'Show the version'],
        ],
        io,
      ),
    ),
  ]);
}

/** `spanprism <command> --help`, made of the command's own table. */
export function helpOf(command: Command, io: Io): string {
  const options: OptionTable = { ...command.options, help: HELP_OPTION };
  const rows = Object.entries(options).map(([name, spec]): Row => [term(name, spec), spec.description]);
  return page([
    `spanprism ${command.name}: ${command.summary}`,
    section('Usage', command.usage),
    section('Options', table(rows, io)),
    ...(command.notes ?? []).map((note) => wrap(note, width(io)).join('\n')),
  ]);
}

function term(name: string, { type, short, value, multiple }: OptionSpec): string {
  const placeholder = type === 'string' ? ` <${value ?? 'value'}>${multiple === true ? ' …' : ''}` : '';
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${placeholder}`;
}

function page(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function width({ columns }: Io): number {
  return Math.max(MIN_COLUMNS, Math.min(columns, MAX_COLUMNS));
}

function table(rows: readonly Row[], io: Io): string[] {
  const indent = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, description]) =>
    wrap(description, Math.max(MIN_COLUMNS, width(io) - indent - 2)).map(
      (line, index) => `${(index === 0 ? left : '').padEnd(indent)}${line}`,
    ),
  );
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
