import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SDK = '@anthropic-ai/claude-agent-sdk';

/** The `claude` that the Agent SDK brings along, or why there is none. */
export type ClaudeBinary =
  | { readonly path: string; readonly absent?: undefined }
  | { readonly path?: undefined; readonly absent: string };

/**
 * Finds the binary in the SDK's package for this platform.
 * @param from file path or URL from which the SDK is resolved; this package's own unless given
 */
export function claudeBinary(from: string = import.meta.url): ClaudeBinary {
  const file = process.platform === 'win32' ? 'claude.exe' : 'claude';
  const names = ['', '-musl'].map((libc) => `${SDK}-${process.platform}-${process.arch}${libc}`);
  const sdk = resolved(createRequire(from), SDK);
  if (sdk === undefined) return { absent: `${SDK} is not installed` };
  const fromSdk = createRequire(sdk);
  const folders = names.flatMap((name) => resolved(fromSdk, `${name}/package.json`) ?? []).map(dirname);
  const path = folders.map((folder) => join(folder, file)).find((candidate) => existsSync(candidate));
  return path === undefined
    ? { absent: `${names[0]} is not installed: the SDK has no binary for this platform` }
    : { path };
}

function resolved(require: NodeJS.Require, specifier: string): string | undefined {
  try {
    return require.resolve(specifier);
  } catch {
    return undefined;
  }
}
