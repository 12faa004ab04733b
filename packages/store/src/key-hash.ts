import { createHash } from 'node:crypto';

/** Twelve bytes of a hash: keys are up to eighty characters long, and most of a narrow row would be its key. */
export function keyHash(key: string): Uint8Array {
  return createHash('sha1').update(key).digest().subarray(0, 12);
}
