import { closeSync, openSync, readSync } from 'node:fs';

/** Fills them from the system's own source, where that is a file: to load `node:crypto` takes 5 ms, for which `claude` would wait. */
export function fillRandom(bytes: Uint8Array): void {
  if (!fillFromFile(bytes)) globalThis.crypto.getRandomValues(bytes);
}

function fillFromFile(bytes: Uint8Array): boolean {
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      return readSync(file, bytes) === bytes.length;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
