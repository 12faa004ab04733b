import { expect, test } from 'vitest';
import type { Partition } from './partition.ts';
import type { StoredRequest } from './spool/request-spool.ts';
import { Untold } from './untold.ts';

const NOTHING: Partition = { sessions: new Map(), isClaudes: [], records: 0, homeless: 0 };

function request(sequence: number, bytes: number): StoredRequest {
  return { sequence, at: 0, signal: 'traces', encoding: 'protobuf', owners: [], body: new Uint8Array(bytes) };
}

/** Told so far, in each turn of the event loop. */
async function turns(sizes: readonly number[]): Promise<readonly number[]> {
  const told: number[] = [];
  const untold = new Untold(({ sequence }) => told.push(sequence));
  sizes.forEach((bytes, index) => untold.add(request(index, bytes), NOTHING));
  const counts = [told.length];
  while (told.length < sizes.length) {
    await new Promise(setImmediate);
    counts.push(told.length);
  }
  expect(told).toEqual(sizes.map((_, index) => index));
  return counts;
}

const KIB = 1024;

test('requests are told in their order, a few in each turn of the event loop, so that others are not kept waiting', async () => {
  expect(await turns(new Array<number>(40).fill(KIB))).toEqual([0, 16, 32, 40]);
});

test('so many of them that never more than a megabyte is left', async () => {
  expect(await turns(new Array<number>(40).fill(100 * KIB))).toEqual([0, 30, 40]);
});

test('all at once when nothing more is to come', () => {
  const told: number[] = [];
  const untold = new Untold(({ sequence }) => told.push(sequence));
  for (let index = 0; index < 40; index++) untold.add(request(index, KIB), NOTHING);
  untold.tellAll();
  expect(told).toHaveLength(40);
});
