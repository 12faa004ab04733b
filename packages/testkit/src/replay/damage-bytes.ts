import type { Random } from './prng.ts';

/** In place of a value of a JSON text: of the wrong type, out of range, unclosed, or a name that objects are born with. */
const JSON_BITS: readonly string[] = [
  'null',
  '[]',
  '{}',
  '"',
  '-1',
  '1e999',
  '"x"',
  '{"__proto__":{"polluted":1}}',
  '[[[',
  'true',
  '"\\ud83d"',
];

type Damage = (body: Buffer, random: Random) => Buffer;

const TRUNCATE: Damage = (body, random) => body.subarray(0, random.below(body.length + 1));

const SET_BYTE: Damage = (body, random) => {
  const copy = Buffer.from(body);
  if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
  return copy;
};

/** No UTF-8 text has these bytes; they take the place of others, so that lengths still hold. */
const SPOIL_TEXT: Damage = (body, random) => {
  const copy = Buffer.from(body);
  copy.set([0xff, 0xc0, 0xed].slice(0, copy.length), random.below(Math.max(1, copy.length - 2)));
  return copy;
};

const CUT_OUT: Damage = (body, random) => {
  const at = random.below(body.length + 1);
  return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + random.below(9))]);
};

const REPEAT: Damage = (body, random) => {
  const to = random.below(body.length + 1);
  return Buffer.concat([body.subarray(0, to), body.subarray(random.below(to + 1))]);
};

/** Puts something else where a value was, so that the text mostly stays JSON. */
const SWAP_VALUE: Damage = (body, random) => {
  const from = body.indexOf('":', random.below(body.length + 1)) + 2;
  const ends = [body.indexOf(',', from), body.indexOf('}', from)].filter((end) => end > 0);
  if (from === 1 || ends.length === 0) return body;
  return Buffer.concat([body.subarray(0, from), Buffer.from(random.pick(JSON_BITS)), body.subarray(Math.min(...ends))]);
};

const BINARY: readonly Damage[] = [TRUNCATE, SET_BYTE, SET_BYTE, SPOIL_TEXT, SPOIL_TEXT, CUT_OUT, REPEAT];
const TEXT: readonly Damage[] = [TRUNCATE, SET_BYTE, SPOIL_TEXT, SWAP_VALUE, SWAP_VALUE, SWAP_VALUE];

/** The body of an export as no exporter would have sent it: damaged in one to three places. */
export function damagedBytes(body: Uint8Array, encoding: 'protobuf' | 'json', random: Random): Buffer {
  let damaged = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let count = 1 + random.below(3); count > 0; count -= 1)
    damaged = random.pick(encoding === 'json' ? TEXT : BINARY)(damaged, random) as typeof damaged;
  return damaged;
}
