import { spawn } from 'node:child_process';

/** Waits for a line. Where there is none to come, we are gone, and the process of that id goes after us. */
const SCRIPT = 'read -r word || kill -9 "$0"';

/**
 * Has a process killed if we are: SIGKILL leaves nobody the time to pass it on, and whoever sends it wants the work to stop. The
 * shell that waits for that is in a session of its own, where nothing reaches it that is typed at a terminal. Returns what calls it off.
 */
export function endWithUs(pid: number): () => void {
  if (process.platform === 'win32') return () => undefined;
  // Of what we have open, it gets nothing: whoever reads our output would wait for its end, too.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  // Without a shell, or when somebody has ended it, all is as it would be without this.
  for (const part of [shell, shell.stdin]) part.on('error', () => undefined);
  return () => shell.stdin.end('\n');
}
