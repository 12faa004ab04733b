import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, type Owner, thisOwner } from '@spanprism/core/receive';
import { CommandError } from '../../command.ts';

const NAME = 'lock';
/** Of another host's process, which cannot be asked, is known how long ago it was heard of. */
const TOUCH_EVERY_MS = 10_000;
const SILENCE_MS = 60_000;

/** Takes a folder for this process; a lock whose process is gone is nobody's. Answers how to let go of it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME);
  for (let isSecond = false; ; isSecond = true) {
    try {
      await writeFile(path, JSON.stringify(thisOwner()), { flag: 'wx', mode: 0o600 });
      return heldLock(path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = readOwner(await readFile(path, 'utf8'));
    if (isSecond || (owner !== undefined && (await isHeld(path, owner)))) {
      const by = owner === undefined ? '' : ` by process ${owner.pid} on ${owner.host}`;
      throw new CommandError({
        what: `collect: the spool ${folder} is in use${by}`,
        fix: `give this one a folder of its own with --spool, or end the other (if there is none, remove ${path})`,
        exitCode: 1,
      });
    }
    await rm(path, { force: true });
  }
}

function heldLock(path: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    // Somebody may have removed it; that is no reason to stop.
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await rm(path, { force: true });
  };
}

async function isHeld(path: string, owner: Owner): Promise<boolean> {
  const now = Date.now();
  const { mtimeMs } = await stat(path);
  return owner.host === thisOwner().host ? isAlive(owner, mtimeMs, now) : now - mtimeMs < SILENCE_MS;
}

function readOwner(text: string): Owner | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Owner>;
    const { host, pid, start } = parsed;
    return typeof host === 'string' && typeof pid === 'number' && typeof start === 'number'
      ? { host, pid, start }
      : undefined;
  } catch {
    return undefined;
  }
}
