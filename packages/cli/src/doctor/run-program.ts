import { execFile } from 'node:child_process';
import type { Environment } from '@spanprism/core/otlp';

export interface ProgramRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
}

/** How it ended. `reason` says why it failed; absent when it did not. */
export interface ProgramEnd {
  readonly stdout: string;
  readonly reason?: string;
}

const LIMIT_MS = 15_000;
const MAX_BYTES = 1024 * 1024;

/** Runs a program without input, for a bounded time. Never rejects. */
export function runProgram({ file, args, env, cwd }: ProgramRun): Promise<ProgramEnd> {
  const options = {
    env,
    cwd,
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_BYTES,
    windowsHide: true,
  } as const;
  return new Promise((resolve) => {
    const child = execFile(file, [...args], options, (error, stdout) => {
      resolve(error === null ? { stdout } : { stdout, reason: reasonOf(error) });
    });
    child.stdin?.end();
  });
}

function reasonOf({ code, killed, signal }: Error & { code?: unknown; killed?: boolean; signal?: unknown }): string {
  if (killed === true) return `did not end within ${LIMIT_MS / 1000} s`;
  if (typeof code === 'number') return `ended with code ${code}`;
  return typeof code === 'string' ? `cannot be run (${code})` : `was ended by ${String(signal)}`;
}
