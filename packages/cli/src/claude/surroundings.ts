import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Which branch is checked out where the run takes place; undefined outside of a repository and with a detached head. */
export function gitBranch(cwd: string): string | undefined {
  const folder = gitFolder(cwd);
  if (folder === undefined) return undefined;
  return /^ref: refs\/heads\/(.+)$/m.exec(textOf(join(folder, 'HEAD')) ?? '')?.[1]?.trim();
}

export function projectName(cwd: string): string {
  return basename(cwd);
}

function gitFolder(cwd: string): string | undefined {
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const path = join(at, '.git');
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return path;
    // Of a worktree or a submodule, it is a file that says where.
    const elsewhere = stat?.isFile() ? /^gitdir: (.+)$/m.exec(textOf(path) ?? '')?.[1]?.trim() : undefined;
    if (elsewhere !== undefined) return resolve(at, elsewhere);
    if (at === dirname(at)) return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
