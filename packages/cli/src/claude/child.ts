import { spawn, type StdioOptions } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { constants } from 'node:os';
import type { Environment } from '@spanprism/core/child';
import { CommandError } from '../command.ts';
import { endWithUs } from './end-with-us.ts';
import { isInForeground } from './terminal-group.ts';

/** Sent to us, they are meant for the child. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** A terminal sends them to its whole foreground group: the child has them already, and we stay to see what it does with them. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;
/** A child that has not ended by then may not have been sent it: somebody can mean us alone. To `claude`, a second one says what the first did. */
const PASS_ON_MS = 1_000;

/** As shells have it. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;
const BY_SIGNAL = 128;

export interface ChildParts {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

/** How a process ended: one of `code` and `signal` is null. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last signal that was meant for it, if we have seen one. */
  readonly asked?: NodeJS.Signals;
}

export interface Child {
  readonly ended: Promise<Ending>;
}

/**
 * Starts `claude` with this process's own streams: its bytes, its terminal and its window pass nobody by the way. From here on, signals
 * are the child's. Rejects when it could not be started.
 */
export async function startChild({ program, args, env }: ChildParts): Promise<Child> {
  const child = spawn(program, [...args], { stdio: streamsFor(args), env: { ...env } });
  let asked: { readonly asked?: NodeJS.Signals } = {};
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      asked = { asked: signal };
      child.kill(signal);
    });
  }
  for (const signal of FROM_TERMINAL) {
    process.on(signal, () => {
      asked = { asked: signal };
      if (!isInForeground()) child.kill(signal);
      else setTimeout(() => child.kill(signal), PASS_ON_MS).unref();
    });
  }
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, ...asked }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(notStarted(program, error)));
  });
  if (child.pid !== undefined) child.once('exit', endWithUs(child.pid));
  return { ended };
}

const FILE_OF_NUMBER = /(?:^|=)\/(?:dev|proc\/self)\/fd\/(\d{1,4})$/;

/** Our own three, and what the shell has opened for an argument: `--settings <(make-settings)`. */
function streamsFor(args: readonly string[]): StdioOptions {
  const streams: StdioOptions = ['inherit', 'inherit', 'inherit'];
  for (const arg of args) {
    const number = Number(FILE_OF_NUMBER.exec(arg)?.[1] ?? 0);
    if (number < streams.length && streams[number] !== 'ignore') continue;
    if (!isOpen(number)) continue;
    while (streams.length <= number) streams.push('ignore');
    streams[number] = number;
  }
  return streams;
}

function isOpen(number: number): boolean {
  try {
    fstatSync(number);
    return true;
  } catch {
    return false;
  }
}

/** Ends this process as the child ended: by its signal, if it was one. What is still under way is let go of. */
export function endLike({ code, signal }: Ending): never {
  // There is no child that they could be passed on to; and a thread that a disk holds up would hold up the exit, and whoever wants it.
  for (const passedOn of [...PASSED_ON, ...FROM_TERMINAL]) process.removeAllListeners(passedOn);
  if (signal === null) process.exit(code ?? 0);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(BY_SIGNAL + constants.signals[signal]);
}

function notStarted(program: string, error: NodeJS.ErrnoException): CommandError {
  return new CommandError({
    what: `${program} could not be started (${error.message})`,
    fix: 'check that it is a program that you may run',
    exitCode: error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED,
  });
}
