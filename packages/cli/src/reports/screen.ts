import type { Screen } from '@spanprism/core/terminal';
import type { Io } from '../command.ts';

/** Lines are cut to a terminal and to nothing else: whoever pipes a table wants the whole of it. */
export function screenOf({ isTerminal, env, columns }: Io): Screen {
  if (!isTerminal) return { hasColor: false };
  return { hasColor: !env['NO_COLOR'] && env['TERM'] !== 'dumb', columns };
}
