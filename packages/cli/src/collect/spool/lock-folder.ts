import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, type Owner, thisOwner } from '@spanprism/core/receive';
import { CommandError } from '../../command.ts';

const NAME = 'lock';

/** Takes a folder for this process; a lock whose process is gone is nobody's. Answers how to let go of it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME);
  for (let isSecond = false; ; isSecond = true) {
    try {
      await writeFile(path, JSON.stringify(thisOwner()), { flag: 'wx', mode: 0o600 });
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = readOwner(await readFile(path, 'utf8'));
    if (isSecond || (owner !== undefined && isAlive(owner, Date.now(), Date.now()))) {
      throw new CommandError({
        what: `collect: the spool ${folder} is in use${owner === undefined ? '' : ` by process ${owner.pid} on ${owner.host}`}`,
        fix: `give this one a folder of its own with --spool, or end the other (if there is none, remove ${path})`,
      });
    }
    await rm(path, { force: true });
  }
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
