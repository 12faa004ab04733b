import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** The processes that this one has started itself, by id, with their command lines. */
export function children(): readonly { readonly pid: number; readonly command: string }[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && !command.includes('<defunct>') ? [{ pid: Number(pid), command }] : [];
  });
}

/** The `claude` that this process is running. Throws unless there is exactly one. */
export function claudeChild(): number {
  const found = children().filter(({ command }) => command.includes('--output-format stream-json'));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} claude processes instead of one`);
  return only.pid;
}

/** Waits until something holds; throws after thirty seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (holds()) return;
    await delay(20);
  }
  throw new Error(`still not so after 30 s: ${what}`);
}
