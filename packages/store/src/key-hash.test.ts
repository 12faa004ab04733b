import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyHash } from './key-hash.ts';

const known = (key: string): string => Buffer.from(keyHash(key)).toString('latin1');
const hashOf = (key: string): string => createHash('sha1').update(key).digest().toString('latin1', 0, 12);

test.each([
  ['llm:req_011CdNbkFr8oMxSYfne14bEe', '011CdNbkFr'],
  ['llm:req_vrtx_011CdNbkFr8oMxSYfne14bEe', '011CdNbkFr'],
  ['tool:req_011CdNbkFr8oMxSYfne14bEe/toolu_01WRZ4mPqkH7dYcN8vTgSbXf', '011CdNbkFr'],
  ['permission:tool:req_011CdNbkFr8oMxSYfne14bEe/toolu_01WRZ4mPqkH7dYcN8vTgSbXf', '011CdNbkFr'],
  ['turn:5b0f4c92-4d1f-4a38-8d7e-0c2f6c1d9a10', '5b0f4c92-4'],
  ['tool:/toolu_01', ''],
  ['agent:a1', 'a1'],
  ['', ''],
])('%s is known by the beginning of its id and by its hash', (key, beginning) => {
  expect(known(key)).toBe(beginning + hashOf(key));
});

test('spans of requests that were made one after the other stand in that order', () => {
  // Of messages that people reported from April to September 2026.
  const ids = [
    '011Ca5jwkFwWNdxLqG6pJZFd',
    '011CbJq2TWNFoGyXWJ9Z7pNV',
    '011Cd336JQ4xDA4GCraw5uY3',
    '011Ce5fmbg9F87DzGxXddy3F',
    '011CefmJU1bgcZ7DwcaZtUHe',
  ];
  const keys = ids.flatMap((id) => [`llm:req_${id}`, `tool:req_${id}/toolu_01`]);
  const known = keys.map((key) => Buffer.from(keyHash(key)));
  expect(known.map((key) => key.subarray(0, 10)).toSorted(Buffer.compare)).toEqual(
    known.map((key) => key.subarray(0, 10)),
  );
});

test('keys that differ in anything are known by something else', () => {
  const keys = [
    'llm:req_1',
    'tool:req_1',
    'llm:req_1/',
    'llm:req_2',
    'llm:req_é',
    'llm:req_\u{1f600}',
    'llm:req_\u{1f601}',
  ];
  expect(new Set(keys.map(known)).size).toBe(keys.length);
});
