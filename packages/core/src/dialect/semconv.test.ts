import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import { SEMCONV, SEMCONV_LATEST } from './semconv.ts';

const published: Readonly<Record<string, unknown>> = incubating;

test.each(Object.entries(SEMCONV))('%s is what the package of the conventions says', (name, value) => {
  expect(published[name]).toBe(value);
});

test.each(Object.entries(SEMCONV_LATEST))('%s is in no published package yet', (name, value) => {
  expect(published[name]).toBeUndefined();
  expect(Object.values(published)).not.toContain(value);
});
