import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who is sending a segment: a host, a process on it, and when that started (ids are used again, above all 1 in containers). */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Kernel ticks since boot; 0 where the system does not tell. */
  readonly start: number;
}

/** A foreign host's process cannot be asked; one that has not touched its segment for this long is taken for dead. */
const FOREIGN_SILENCE_MS = 3_600_000;

/** This process. */
export function thisOwner(): Owner {
  return { host: hostMark(), pid: process.pid, start: startOf(process.pid) };
}

/** True while the owner may still be sending; `touchedAt` is the last write to its segment. */
export function isAlive(owner: Owner, touchedAt: number, now: number): boolean {
  if (owner.host !== hostMark()) return now - touchedAt < FOREIGN_SILENCE_MS;
  if (!isRunning(owner.pid)) return false;
  const start = startOf(owner.pid);
  return start === 0 || owner.start === 0 || start === owner.start;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat; the name before it may hold spaces and parentheses. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0) || 0;
  } catch {
    return 0;
  }
}

/** Letters and digits only, so that it fits into a file name. */
function hostMark(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9]/g, '')
      .slice(0, 40) || 'host'
  );
}
