import { parseArgs } from 'node:util';
import { type Command, CommandError, type CommandInput, type OptionTable } from './command.ts';
import { HELP_OPTION } from './help.ts';

export interface SplitLine {
  /** Options before the word. */
  readonly leading: readonly string[];
  readonly word?: string;
  readonly rest: readonly string[];
}

/** The word is the first argument that is neither an option nor the value of one in the table. */
export function splitAtWord(args: readonly string[], options: OptionTable): SplitLine {
  let at = 0;
  while (at < args.length && args[at]!.startsWith('-')) at += takesNext(args[at]!, options) ? 2 : 1;
  const word = args[at];
  return { leading: args.slice(0, at), ...(word === undefined ? {} : { word }), rest: args.slice(at + 1) };
}

function takesNext(arg: string, options: OptionTable): boolean {
  if (arg.includes('=')) return false;
  const spec = arg.startsWith('--')
    ? own(options, arg.slice(2))
    : Object.values(options).find(({ short }) => short !== undefined && arg === `-${short}`);
  return spec?.type === 'string';
}

function own(options: OptionTable, name: string): OptionTable[string] | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

/** Throws a `CommandError` for what the command does not know. */
export function parseArguments(command: Command, args: readonly string[]): CommandInput {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...command.options, help: HELP_OPTION },
      strict: true,
      allowPositionals: true,
    });
    return { values, positionals };
  } catch (error) {
    const [what = 'wrong arguments'] = (error instanceof Error ? error.message : String(error)).split(/\.(?:\s|$)/);
    throw new CommandError({
      what: `${command.name}: ${what.charAt(0).toLowerCase()}${what.slice(1)}`,
      fix: `spanprism help ${command.name} lists its options`,
    });
  }
}
