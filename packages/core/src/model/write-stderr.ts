let pending = 0;

/**
 * Writes to stderr. Where nobody reads it any more (`2>&1 | head`), Node raises an error event for each write, which would end a
 * program that never wrote there itself: those of our own writes are swallowed, all others are the program's.
 */
export function writeStderr(text: string): void {
  const { stderr } = process;
  if (pending === 0) stderr.on('error', ignore);
  pending += 1;
  // The event comes after the callback.
  stderr.write(text, () => setImmediate(written).unref());
}

function written(): void {
  pending -= 1;
  if (pending === 0) process.stderr.off('error', ignore);
}

function ignore(): void {}
