import { hash } from 'node:crypto';

const KEY_BYTES = 12;

/** Some bytes of a hash: keys are up to eighty characters long, and most of a narrow row would be its key. */
export function keyHash(key: string): Uint8Array {
  // By way of text, a character a byte: bytes of its own for each hash take twice as long.
  return Buffer.from(hash('sha1', key, 'binary').slice(0, KEY_BYTES), 'latin1');
}
