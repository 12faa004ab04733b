import { hash } from 'node:crypto';

/** Twelve bytes of a hash: keys are up to eighty characters long, and most of a narrow row would be its key. */
export function keyHash(key: string): Uint8Array {
  // By way of hex: bytes of its own for each hash take twice as long.
  return Buffer.from(hash('sha1', key, 'hex').slice(0, 24), 'hex');
}
