import { claudeOptions } from './claude/options.ts';
import { CommandError, type Io } from './command.ts';
import { type CommandEntry, COMMANDS } from './commands.ts';
import { helpOf, helpOfAll } from './help.ts';
import { parseArguments, splitAtWord } from './parse-arguments.ts';
import { version } from './version.ts';

/** `EX_SOFTWARE` of sysexits.h: a fault of ours, not of how the command was used. */
const OUR_FAULT = 70;

/** Runs what the arguments ask for and resolves to the exit code. Never rejects: what goes wrong is a line on stderr. */
export async function runCommandLine(args: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    // A message may name what a run says of itself.
    io.stderr.write(`spanprism: ${await harmlessLines(lineOf(error, io))}\n`);
    return error instanceof CommandError ? error.exitCode : isConfiguration(error) ? 2 : OUR_FAULT;
  }
}

async function dispatch(args: readonly string[], io: Io): Promise<number> {
  const { leading, word, rest } = splitAtWord(args, claudeOptions);
  if (word === undefined) return withoutWord(leading, io);
  if (word === 'help' && leading.length === 0) return help(rest[0], io);
  const { command } = await entryOf(word).load();
  const { values, positionals } = parseArguments(command, command.takesRest ? leading : [...leading, ...rest]);
  if (values['help'] === true) return print(helpOf(command, io), io);
  return command.run({ values, positionals: command.takesRest ? rest : positionals }, io);
}

async function withoutWord(leading: readonly string[], io: Io): Promise<number> {
  if (leading.includes('--help') || leading.includes('-h')) return help(undefined, io);
  if (leading.includes('--version') || leading.includes('-v')) return print(`${version()}\n`, io);
  if (leading.length > 0) {
    throw new CommandError({
      what: `no command in "spanprism ${leading.join(' ')}"`,
      fix: 'spanprism --help lists commands',
    });
  }
  io.stderr.write(helpOfAll(COMMANDS, io));
  return 2;
}

async function help(word: string | undefined, io: Io): Promise<number> {
  if (word === undefined) return print(helpOfAll(COMMANDS, io), io);
  const { command } = await entryOf(word).load();
  return print(helpOf(command, io), io);
}

function print(text: string, io: Io): number {
  io.stdout.write(text);
  return 0;
}

function entryOf(word: string): CommandEntry {
  const entry = COMMANDS.find(({ name }) => name === word);
  if (entry !== undefined) return entry;
  throw new CommandError({
    what: `there is no command "${word}"`,
    fix: `commands are ${COMMANDS.map(({ name }) => name).join(', ')}`,
  });
}

/** A stack keeps its lines. Loaded when something has gone wrong: every command starts with this file. */
async function harmlessLines(text: string): Promise<string> {
  const { harmless } = await import('@spanprism/core/terminal');
  return text.split('\n').map(harmless).join('\n');
}

/** By its name: a package of the user's own may bring a core of its own. */
function isConfiguration(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConfigurationError';
}

function lineOf(error: unknown, { env }: Io): string {
  if (!(error instanceof Error)) return `unexpected: ${String(error)}`;
  if (error instanceof CommandError || isConfiguration(error)) return error.message;
  return env['OTEL_DEBUG'] === '1' && error.stack !== undefined
    ? error.stack
    : `unexpected ${error.name}: ${error.message}; OTEL_DEBUG=1 shows where`;
}
