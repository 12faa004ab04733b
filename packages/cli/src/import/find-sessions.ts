import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isSubagentFile, type SessionFiles, sessionFiles, subagentsBeside } from '@spanprism/core/transcript';
import { CommandError, type Io } from '../command.ts';

export interface FoundSession extends SessionFiles {
  /** Its process may still write. */
  readonly goesOn: boolean;
}

export interface FoundSessions {
  /** Those that were written to last come last: what was forked comes after what it was forked from. */
  readonly sessions: readonly FoundSession[];
  /** Files of sessions that may still go on. */
  readonly running: readonly string[];
  /** Files that cannot be read, and why. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

export interface Wanted {
  readonly paths: readonly string[];
  /** Milliseconds since 1970: files that were not written to since are passed over. */
  readonly sinceMs?: number;
  readonly takesRunning: boolean;
}

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl$/;
/** A process that is waiting, for a person or for a long tool, writes nothing for a while. */
const QUIET_MS = 3_600_000;
const TAIL_BYTES = 1 << 18;

/** Where Claude Code keeps its sessions. */
export function projectsFolder(env: Io['env']): string {
  const config = env['CLAUDE_CONFIG_DIR'] || join(env['HOME'] || homedir(), '.claude');
  return join(config, 'projects');
}

/** The sessions in these files and folders. Throws when a path does not exist or when there is no session at all. */
export function findSessions(wanted: Wanted, io: Pick<Io, 'cwd' | 'now'>): FoundSessions {
  const files = new Map<string, boolean>();
  for (const path of wanted.paths.map((one) => resolve(io.cwd, one))) {
    const isFile = statOf(path).isFile();
    // A file that is named is wanted as it is.
    for (const file of isFile ? [path] : sessionsIn(path)) files.set(file, isFile || files.get(file) === true);
  }
  const beside = new Map<string, ReturnType<typeof subagentsBeside>>();
  const found: FoundSession[] = [];
  const running: string[] = [];
  const unreadable: FoundSessions['unreadable'][number][] = [];
  for (const [path, isNamed] of files) {
    try {
      const session = withOlder(sessionFiles(path), beside);
      if (wanted.sinceMs !== undefined && session.modifiedMs < wanted.sinceMs) continue;
      const goesOn = !isNamed && mayGoOn(session, io.now());
      if (goesOn && !wanted.takesRunning) running.push(path);
      else found.push({ ...session, goesOn });
    } catch (error) {
      unreadable.push({ file: path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { sessions: found.sort((a, b) => a.modifiedMs - b.modifiedMs), running, unreadable };
}

function statOf(path: string): ReturnType<typeof statSync> & {} {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) return found;
  throw new CommandError({
    what: `there is no ${path}`,
    fix: 'name session files or folders that hold some; Claude Code keeps them in ~/.claude/projects',
  });
}

function sessionsIn(folder: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && SESSION.test(entry.name)) files.push(join(entry.parentPath, entry.name));
  }
  return files.filter((file) => !isSubagentFile(file));
}

/** Versions before 2.1 put subagents beside their sessions. */
function withOlder(session: SessionFiles, beside: Map<string, ReturnType<typeof subagentsBeside>>): SessionFiles {
  const folder = dirname(session.path);
  const known = beside.get(folder) ?? subagentsBeside(folder);
  beside.set(folder, known);
  const sessionId = /([^/\\]+)\.jsonl$/.exec(session.path)?.[1] ?? '';
  const older = known.get(sessionId) ?? [];
  return older.length === 0 ? session : { ...session, subagents: [...session.subagents, ...older] };
}

/** Its process has neither said its last word nor been silent for long. */
function mayGoOn({ path, modifiedMs }: SessionFiles, now: Date): boolean {
  if (now.getTime() - modifiedMs > QUIET_MS) return false;
  const rows = lastLines(path).map((line) => /"type": ?"(cost-state|user|assistant)"/.exec(line)?.[1]);
  return rows.findLast((type) => type !== undefined) !== 'cost-state';
}

function lastLines(path: string): string[] {
  const file = openSync(path, 'r');
  try {
    const { size } = statSync(path);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(file, tail, 0, tail.length, size - tail.length);
    return tail.toString('latin1', 0, read).split('\n');
  } finally {
    closeSync(file);
  }
}
