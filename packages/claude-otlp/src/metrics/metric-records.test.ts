import type { MetricPoint } from '@spanprism/core';
import { expect, test } from 'vitest';
import { metricRecords } from './metric-records.ts';

const POINT: MetricPoint = {
  name: 'claude_code.session.count',
  unit: '',
  attributes: {},
  startedAt: 1n,
  at: 2n,
  data: { type: 'sum', value: 1, isMonotonic: true, temporality: 'delta' },
};

test('a figure keeps the number type that it came with', () => {
  const [counted] = metricRecords([{ ...POINT, isInt: true }]);
  const [measured] = metricRecords([POINT]);
  expect(counted?.data).toMatchObject({ points: [{ value: 1, isInt: true }] });
  expect(measured?.data).toMatchObject({ points: [{ value: 1, isInt: false }] });
});
