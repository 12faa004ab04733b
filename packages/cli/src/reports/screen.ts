import type { Screen } from '@spanprism/core/terminal';
import type { Io } from '../command.ts';

/** Lines are cut to a terminal and to nothing else: whoever pipes a table wants the whole of it. */
export function screenOf({ isTerminal, env, columns }: Io): Screen {
  if (!isTerminal) return { hasColor: false };
  const hasColor = !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  // Some terminals do not know how wide they are, and say 0.
  return columns > 0 ? { hasColor, columns } : { hasColor };
}
