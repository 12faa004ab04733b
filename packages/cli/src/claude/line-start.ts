import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const NEWLINE = 0x0a;

/**
 * What has to be written for a line of ours to begin a line, where `claude` may have ended in the middle of one. Nothing of a pipe: what
 * went into it cannot be known.
 */
export function toLineStart(stream: NodeJS.WritableStream): string {
  const { isTTY, columns, fd } = stream as Partial<NodeJS.WriteStream & { readonly fd: number }>;
  // As shells do it before a prompt: so many spaces stay in a line that is empty, and go on to the next from any other.
  if (isTTY === true) return columns === undefined || columns < 1 ? '' : `${' '.repeat(columns)}\r`;
  return fd !== undefined && endsWithinLine(fd) ? '\n' : '';
}

/** Of a file, which we have for writing alone: it is opened once more. */
function endsWithinLine(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size === 0) return false;
    const file = openSync(`/dev/fd/${fd}`, 'r');
    try {
      const last = Buffer.alloc(1);
      return readSync(file, last, 0, 1, stats.size - 1) === 1 && last[0] !== NEWLINE;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
