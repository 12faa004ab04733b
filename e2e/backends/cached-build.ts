import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, lastLines, runCommand } from './run-command.ts';

/** A backend that can be started, or why there is none on this machine. */
export type Build =
  | { readonly folder: string; readonly absent?: undefined }
  | { readonly folder?: undefined; readonly absent: string };

/** Something that this machine lacks or could not fetch: the tests that need it are skipped. */
export class Unavailable extends Error {}

export interface Recipe {
  readonly name: string;
  /** All that decides what comes out. */
  readonly inputs: readonly string[];
  /** Fills a new folder, which is moved when it is complete. Throws `Unavailable` for what is nobody's mistake. */
  readonly make: (folder: string, timeLeftMs: () => number) => Promise<void>;
}

/** For everything from the first download on: what does not come in this time is skipped. */
const TIME_MS = 600_000;

const HOUR_MS = 3_600_000;

/** Builds once for as long as the inputs are the same, in the user's cache; builds at the same time do not meet. */
export async function cachedBuild({ name, inputs, make }: Recipe): Promise<Build> {
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, ...inputs]));
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'spanprism', 'backends');
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return { folder };
  const unfinished = `${folder}.unfinished-`;
  const building = `${unfinished}${process.pid}`;
  try {
    removeAbandoned(cache);
    mkdirSync(building, { recursive: true });
    const until = Date.now() + TIME_MS;
    await make(building, () => Math.max(until - Date.now(), 1));
    // Complete or not there at all.
    renameSync(building, folder);
    return { folder };
  } catch (error) {
    if (error instanceof Unavailable) return { absent: error.message };
    // Another run was faster: its build is as good.
    if (existsSync(folder)) return { folder };
    throw error;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** What a build that was killed has left behind. */
function removeAbandoned(cache: string): void {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache).filter((entry) => entry.includes('.unfinished-'))) {
    const folder = join(cache, name);
    if (Date.now() - statSync(folder).mtimeMs > HOUR_MS) rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a command that needs what may not be there: a program, a network. Answers what it printed. */
export async function fetched(what: string, command: Command): Promise<string> {
  const { ok, output } = await runCommand(command);
  if (!ok) throw new Unavailable(`${what}: ${lastLines(output)}`);
  return output;
}

/** Runs a command that has all it needs: that it fails is an error, unless this machine is too slow for it. */
export async function done(what: string, command: Command): Promise<void> {
  const { ok, isLate, output } = await runCommand(command);
  if (isLate) throw new Unavailable(`${what}: ${lastLines(output)}`);
  if (!ok) throw new Error(`${what}: ${lastLines(output)}`);
}
