import type { Io } from '../command.ts';
import { findClaude } from './find-claude.ts';
import { startChild } from './child.ts';

/** Runs `claude` and resolves to its exit code; ends by the signal that ended it. */
export async function runClaude(args: readonly string[], io: Io): Promise<number> {
  const child = startChild({ program: findClaude(io).path, args, env: io.env });
  const ending = await child.ended;
  return ending.leave();
}
