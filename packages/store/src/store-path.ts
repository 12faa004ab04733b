import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `SPANPRISM_STORE`, else `spanprism/spans.db` in `XDG_DATA_HOME`, else in `~/.local/share`. */
export function defaultStorePath(environment: Environment = process.env): string {
  const own = environment['SPANPRISM_STORE'];
  if (own) return own;
  const dataHome = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share');
  return join(dataHome, 'spanprism', 'spans.db');
}
