import process from 'node:process';
import type { Io } from './command.ts';

const DEFAULT_COLUMNS = 80;
/** `EX_IOERR` of sysexits.h. */
const NOT_WRITTEN = 74;

/** One that has been removed has no path any more; what the shell calls it is the next best. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? '/';
  }
}

function unwritten(error: NodeJS.ErrnoException): never {
  // Whoever reads our output may stop when he has seen enough: `spanprism runs | head`.
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`spanprism: stdout cannot be written (${error.message}); make room, or send it elsewhere\n`);
  process.exit(NOT_WRITTEN);
}

/** This process, as commands see it. */
export function processIo(): Io {
  let stdout: NodeJS.WriteStream | undefined;
  let stderr: NodeJS.WriteStream | undefined;
  return {
    // Opened when something is written: with its streams inherited, `claude` has them for itself.
    get stdout() {
      stdout ??= process.stdout.on('error', unwritten);
      return stdout;
    },
    get stderr() {
      // Nobody is left to be told of that.
      stderr ??= process.stderr.on('error', () => undefined);
      return stderr;
    },
    env: process.env,
    cwd: currentFolder(),
    get isTerminal() {
      return process.stdout.isTTY === true;
    },
    get columns() {
      return process.stdout.columns ?? DEFAULT_COLUMNS;
    },
    now: () => new Date(),
  };
}
