import { hash } from 'node:crypto';

/** Base 58 digits of one of Anthropic's ids that tell its time to some milliseconds. */
const TIME_CHARACTERS = 10;
const HASH_BYTES = 12;

/**
 * What a key is known by: where its id begins with the time at which it was minted, as those of requests do, that beginning, so that
 * spans of about the same time lie side by side in the index; and some bytes of a hash, since keys are up to eighty characters long, and
 * most of a narrow row would be its key.
 */
export function keyHash(key: string): Uint8Array {
  // By way of text, a character a byte: bytes of its own for each hash take twice as long.
  return Buffer.from(beginningOfId(key) + hash('sha1', key, 'binary').slice(0, HASH_BYTES), 'latin1');
}

/** `011CdNbkFr` of `tool:req_011CdNbkFr8oMxSYfne14bEe/toolu_01…`, and of `llm:req_vrtx_011CdNbkFr8oMxSYfne14bEe`. */
function beginningOfId(key: string): string {
  const slash = key.indexOf('/');
  const end = slash === -1 ? key.length : slash;
  const start = Math.max(key.lastIndexOf(':', end), key.lastIndexOf('_', end)) + 1;
  return key.slice(start, Math.min(end, start + TIME_CHARACTERS));
}

/** What the same key was known by before version 4 of the schema. */
export function olderKeyHash(hashed: Uint8Array): Uint8Array {
  return hashed.subarray(-HASH_BYTES);
}
