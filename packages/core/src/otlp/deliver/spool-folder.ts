import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { makeFolder } from './make-folder.ts';

// Windows knows neither these flags nor owners and modes: there the folder is as private as the one it lies in.
const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = constants;

/** How the files in the folder are opened: a symlink that somebody planted there never leads elsewhere. */
export const OPEN: Readonly<Record<'read' | 'append' | 'create', number>> = {
  read: O_RDONLY | O_NOFOLLOW,
  /** Never makes a file anew: one that is gone was given up or taken over. */
  append: O_WRONLY | O_APPEND | O_NOFOLLOW,
  create: O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW,
};

/**
 * Makes the folder if need be, and makes it private. Throws unless it is a real directory of this user: its name can be foretold,
 * so where others may write they could have put a symlink there, or a folder of their own.
 */
export function secureFolder(path: string): void {
  makeFolder(path);
  if (!lstatSync(path).isDirectory()) throw new Error('it is not a directory');
  if (process.geteuid === undefined) return;
  // All by one descriptor, so that nothing can be put in its place between the look and the change.
  const folder = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (!isOwn(fstatSync(folder))) throw new Error('it belongs to another user');
    // It may be older, or the umask odd.
    fchmodSync(folder, 0o700);
  } finally {
    closeSync(folder);
  }
}

/** A file under this one name that we made; anything else was planted before the folder was private. Throws when it is gone. */
export function statOwnFile(path: string): Stats | undefined {
  const stats = lstatSync(path);
  return stats.isFile() && stats.nlink === 1 && isOwn(stats) ? stats : undefined;
}

function isOwn(stats: Stats): boolean {
  return process.geteuid === undefined || stats.uid === process.geteuid();
}
