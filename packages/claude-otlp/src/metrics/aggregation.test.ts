import { expect, test } from 'vitest';
import { Aggregation } from './aggregation.ts';
import type { Instrument } from './aggregation.ts';

const SIZES: Instrument = { name: 'sizes', unit: 'By', description: '', type: 'histogram', bounds: [1, 4, 16] };
const CALLS: Instrument = { name: 'calls', unit: '1', description: '', type: 'counter' };

function ticking(): { now: () => bigint } {
  let now = 0n;
  return { now: () => (now += 10n) };
}

test('a bound is the last value of its bucket, and what is above all of them has its own', () => {
  const aggregation = new Aggregation({ temporality: 'cumulative', clock: ticking() });
  for (const value of [0, 1, 1.5, 4, 16, 17, 1e9]) aggregation.record({ instrument: SIZES, value, attributes: {} });
  expect(aggregation.collect()[0]?.data).toEqual({
    type: 'histogram',
    count: 7,
    sum: 1_000_000_039.5,
    bounds: [1, 4, 16],
    bucketCounts: [2, 2, 1, 2],
    temporality: 'cumulative',
  });
});

test('cumulative points begin when the program began, delta points where the last ones ended', () => {
  const all = ['cumulative', 'delta'].map((temporality) => {
    const aggregation = new Aggregation({ temporality: temporality as 'delta', clock: ticking() });
    aggregation.record({ instrument: CALLS, value: 2, attributes: {} });
    const first = aggregation.collect();
    aggregation.record({ instrument: CALLS, value: 3, attributes: {} });
    return [...first, ...aggregation.collect()].map(({ startedAt, at, data }) => [
      startedAt,
      at,
      'value' in data && data.value,
    ]);
  });
  expect(all).toEqual([
    [
      [10n, 20n, 2],
      [10n, 30n, 5],
    ],
    [
      [10n, 20n, 2],
      [20n, 30n, 3],
    ],
  ]);
});

test('an unsent figure can be told from none', () => {
  const aggregation = new Aggregation({ temporality: 'cumulative', clock: ticking() });
  expect(aggregation.isDirty).toBe(false);
  aggregation.record({ instrument: CALLS, value: 1, attributes: {} });
  expect(aggregation.isDirty).toBe(true);
  aggregation.collect();
  expect(aggregation.isDirty).toBe(false);
});

test('too many combinations of attributes share one series, and nothing is lost', () => {
  const aggregation = new Aggregation({ temporality: 'delta', clock: ticking(), maxSeries: 3 });
  for (let model = 0; model < 10; model += 1)
    aggregation.record({ instrument: CALLS, value: 1, attributes: { model } });
  const points = aggregation.collect();
  expect(points.map(({ attributes, data }) => [attributes, 'value' in data && data.value])).toEqual([
    [{ model: 0 }, 1],
    [{ model: 1 }, 1],
    [{ 'otel.metric.overflow': true }, 8],
  ]);
});

test('a figure that is no amount is not counted', () => {
  const aggregation = new Aggregation({ temporality: 'delta', clock: ticking() });
  for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    aggregation.record({ instrument: CALLS, value, attributes: {} });
  }
  expect(aggregation.collect()).toEqual([]);
});

test('series are told apart by what their attributes say, and are the same for one object and for its copy', () => {
  const aggregation = new Aggregation({ temporality: 'delta', clock: ticking() });
  const sonnet = { model: 'sonnet' };
  for (const round of [1, 2]) {
    for (const attributes of [sonnet, sonnet, { ...sonnet }, { model: 'haiku' }]) {
      aggregation.record({ instrument: CALLS, value: round, attributes });
    }
    const points = aggregation.collect();
    expect(points.map(({ attributes, data }) => [attributes, 'value' in data && data.value])).toEqual([
      [{ model: 'sonnet' }, 3 * round],
      [{ model: 'haiku' }, round],
    ]);
  }
});
