import type { Environment } from '@spanprism/core/otlp';

/** What a command has of the world. Data goes to `stdout`, everything else to `stderr`. */
export interface Io {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Environment;
  readonly cwd: string;
  /** Whether `stdout` is a terminal. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly now: () => Date;
}

export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly multiple?: boolean;
  readonly short?: string;
  /** What stands for the value in the help: `url`. */
  readonly value?: string;
  readonly description: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** The parsed command line: options by name, as `node:util`'s `parseArgs` gives them, and the rest. */
export interface CommandInput {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: readonly string[];
  readonly options: OptionTable;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  /** Its options stand before its name; everything behind it is another program's and is handed on as it is. */
  readonly takesRest?: true;
  /** Resolves to the exit code: 0 done, 1 found what it looks for, 2 wrong usage. */
  run(input: CommandInput, io: Io): Promise<number>;
}

export interface CommandErrorParts {
  readonly what: string;
  readonly fix: string;
  /** Default 2. */
  readonly exitCode?: number;
}

/** Printed as one line, `spanprism: what; fix`, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  /** From which another thread can make it again. */
  readonly parts: CommandErrorParts;

  constructor(parts: CommandErrorParts) {
    super(`${parts.what}; ${parts.fix}`);
    this.exitCode = parts.exitCode ?? 2;
    this.parts = parts;
  }
}
