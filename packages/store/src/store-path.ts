import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@spanprism/core';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `SPANPRISM_STORE`, else `spanprism/spans.db` in `XDG_DATA_HOME`, else in `~/.local/share`. Throws `ConfigurationError` where there is no
 * home folder either.
 */
export function defaultStorePath(environment: Environment = process.env): string {
  const own = environment['SPANPRISM_STORE'];
  if (own) return own;
  const dataHome = environment['XDG_DATA_HOME'] || join(environment['HOME'] || systemHome(), '.local', 'share');
  return join(dataHome, 'spanprism', 'spans.db');
}

function systemHome(): string {
  let home = '';
  try {
    home = homedir();
  } catch {
    // A user without an entry in the system's list, as in many containers.
  }
  if (home !== '') return home;
  throw new ConfigurationError(
    'invalid_option',
    'there is no home folder to keep the store in; set HOME, or name a file by SPANPRISM_STORE',
  );
}
