import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Environment } from '@spanprism/core/otlp';
import { CommandError } from '../command.ts';

/** Sent to us alone, they are meant for the child. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;
/** A terminal sends them to its whole foreground group: the child has them already, and we stay to see what it does. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

export interface ChildParts {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

export interface Ending {
  readonly exitCode: number;
  /** Ends this process as the child ended: by its signal, if it was one. Else answers the exit code. */
  leave(): number;
}

export interface Child {
  readonly ended: Promise<Ending>;
}

/** `claude` with this process's own streams: its bytes, its terminal and its window pass nobody by the way. */
export function startChild({ program, args, env }: ChildParts): Child {
  const child = spawn(program, [...args], { stdio: 'inherit', env: env as NodeJS.ProcessEnv });
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of PASSED_ON) handlers.set(signal, () => child.kill(signal));
  for (const signal of FROM_TERMINAL) handlers.set(signal, () => {});
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(program, error)));
    child.once('exit', (code, signal) =>
      resolve({
        exitCode: code ?? 128 + constants.signals[signal!],
        leave: () => {
          for (const [name, handler] of handlers) process.off(name, handler);
          if (signal !== null) process.kill(process.pid, signal);
          return code ?? 128 + constants.signals[signal!];
        },
      }),
    );
  });
  return { ended };
}

function notStarted(program: string, error: NodeJS.ErrnoException): CommandError {
  const exitCode = error.code === 'ENOENT' ? 127 : 126;
  return new CommandError({
    what: `${program} could not be started (${error.message})`,
    fix: 'check that it is a program that you may run',
    exitCode,
  });
}
