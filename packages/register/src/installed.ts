import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LoadPackage } from './choose-sinks.ts';

/**
 * Finds a package beside this one or in the program's own folders. Required, not imported: the import of the SDK, and the first call
 * of it, wait for nothing. Throws what the package throws.
 */
export const loadInstalled: LoadPackage = (name) => {
  for (const place of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href, process.argv[1]]) {
    const require = place === undefined || place === '' ? undefined : createRequire(place);
    const path = require && resolved(require, name);
    if (require && path !== undefined) return require(path) as ReturnType<LoadPackage>;
  }
  return undefined;
};

function resolved(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
