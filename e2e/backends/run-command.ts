import { spawn } from 'node:child_process';

export interface Command {
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd?: string;
  /** On top of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Finished {
  readonly ok: boolean;
  readonly isLate: boolean;
  /** What it printed, or why it could not. */
  readonly output: string;
}

/** Runs a program to its end. One that takes longer than it may is killed with everything that it has started. */
export function runCommand({ program, words, cwd, env = {}, timeoutMs }: Command): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child.pid);
    }, timeoutMs);
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', ({ message }) => {
      clearTimeout(timer);
      resolve({ ok: false, isLate, output: message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      const late = isLate ? `\nstill not done after ${Math.round(timeoutMs / 1000)} s` : '';
      resolve({ ok: code === 0, isLate, output: output.trim() + late });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

export function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-8).join('\n  ');
}
