import { readFileSync } from 'node:fs';

/** Of this package. Its manifest is one folder above, of sources and of what is built. */
export function version(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}
