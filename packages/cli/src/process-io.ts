import process from 'node:process';
import type { Io } from './command.ts';

const DEFAULT_COLUMNS = 80;

/** One that has been removed has no path any more; what the shell calls it is the next best. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? '/';
  }
}

/** This process, as commands see it. */
export function processIo(): Io {
  // Whoever reads our output may stop when he has seen enough: `spanprism runs | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  return {
    // Opened when something is written: with its streams inherited, `claude` has them for itself.
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
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
