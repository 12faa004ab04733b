import { SAMPLE_TRACES } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { rowOf } from '../span-row.ts';
import { packRows, unpackRows } from './packed-rows.ts';

test('rows come out as they went in, also through a copy between threads', () => {
  const rows = Object.values(SAMPLE_TRACES).flat().map(rowOf);
  expect(unpackRows(structuredClone(packRows(rows)))).toEqual(rows);
  expect(unpackRows(packRows([]))).toEqual([]);
});
