import { hash } from 'node:crypto';

/** Twelve bytes of a hash: keys are up to eighty characters long, and most of a narrow row would be its key. */
export function keyHash(key: string): Uint8Array {
  return hash('sha1', key, 'buffer').subarray(0, 12);
}
