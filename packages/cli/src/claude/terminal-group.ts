import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

const STREAMS = [0, 1, 2] as const;

/**
 * Whether this process is in the foreground of a terminal: what is typed there (Ctrl-C, Ctrl-\) is sent to it and to its child alike.
 * Sent by anybody else, it is sent to this process alone.
 */
export function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // The name of the program, in parentheses, may hold anything: proc(5).
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && group === foreground;
  } catch {
    // Not Linux: a stream that is a terminal is all there is to go by.
    return STREAMS.some((stream) => isatty(stream));
  }
}
