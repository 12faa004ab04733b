import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Exports = Readonly<Record<string, unknown>>;

/**
 * The exports of a package that is installed beside this one or in the program's own folders; undefined when it is in none of them.
 * Required, not imported: the import of the SDK, and the first call of it, wait for nothing. Throws what the package throws.
 */
export function loadInstalled(name: string): Exports | undefined {
  const places = [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href, process.argv[1]];
  for (const place of places) {
    const require = place === undefined || place === '' ? undefined : createRequire(place);
    const path = require && resolved(require, name);
    if (require && path !== undefined) return require(path) as Exports;
  }
  return undefined;
}

function resolved(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
