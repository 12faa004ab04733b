import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a `package.json` says, as far as it is asked. */
export interface Manifest {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** Names of what it loads when it runs. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** Undefined when there is none, or it is no JSON. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    const parsed: Partial<Record<string, unknown>> = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const names = (list: string): readonly string[] => Object.keys(Object(parsed[list]));
    return {
      folder,
      name: String(parsed['name'] ?? ''),
      version: String(parsed['version'] ?? ''),
      dependencies: ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(names),
      devDependencies: names('devDependencies'),
    };
  } catch {
    return undefined;
  }
}

/** That of the program to which a folder belongs. */
export function nearestManifest(cwd: string): Manifest | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const manifest = readManifest(folder);
    if (manifest !== undefined || dirname(folder) === folder) return manifest;
  }
}
