import assert from 'node:assert/strict';
import type { CapturedSpan } from '@spanprism/core';
import { describe, expect, test } from 'vitest';
import { type DialectLike, testDialect } from './test-dialect.ts';

const good: DialectLike = {
  name: 'plain',
  spanName: (span) => span.kind,
  attributes: (span) => ({ 'ours.kind': span.kind, ...span.attributes }),
};
const prefixes = ['ours.'];

describe('the suite of dialects', () => {
  testDialect(test, { dialect: good, prefixes });
});

/** Runs the suite of a dialect and names what does not hold. */
async function failuresOf(dialect: DialectLike): Promise<readonly string[]> {
  const failed: string[] = [];
  const running: Promise<unknown>[] = [];
  const note = (name: string, run: () => Promise<void>): void => {
    running.push(run().catch(() => failed.push(name.replace(`${dialect.name}: `, ''))));
  };
  testDialect(Object.assign(note, { skip: () => undefined }), { dialect, prefixes });
  await Promise.all(running);
  return failed;
}

const wrong = (extra: (span: CapturedSpan) => Record<string, unknown>): Partial<DialectLike> => ({
  attributes: (span) => ({ ...good.attributes(span), ...extra(span) }),
});

describe('a dialect with one fault', () => {
  let calls = 0;
  test.each<{ change: Partial<DialectLike>; foundBy: string }>([
    {
      change: { spanName: (span) => (span.kind === 'hook' ? '' : span.kind) },
      foundBy: 'every kind of span has a name',
    },
    { change: wrong(() => ({ 'ours.deep': { a: 1 } })), foundBy: 'attributes have values that OpenTelemetry takes' },
    {
      change: wrong(() => ({ 'ours.nothing': undefined })),
      foundBy: 'attributes have values that OpenTelemetry takes',
    },
    { change: wrong(() => ({ 'ours.mixed': [1, 'a'] })), foundBy: 'attributes have values that OpenTelemetry takes' },
    { change: wrong(() => ({ 'ours.a_b': 1, 'ours.a.b': 1 })), foundBy: 'no fact has two spellings of its key' },
    { change: wrong(() => ({ 'theirs.kind': 1 })), foundBy: 'no key is under a foreign prefix' },
    {
      change: wrong(() => ({ 'ours.call': (calls += 1) })),
      foundBy: 'the same span is spelled the same twice, and is not changed',
    },
  ])('fails "$foundBy" and nothing else', async ({ change, foundBy }) => {
    expect(await failuresOf({ ...good, ...change })).toEqual([foundBy]);
  });

  test('and a good one fails nothing', async () => {
    assert.deepEqual(await failuresOf(good), []);
    expect(calls).toBeGreaterThanOrEqual(0);
  });
});
