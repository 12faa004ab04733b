import type { CapturedSpan } from '@spanprism/core';
import { agent, at, custom, llm, tool } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { inSession, storeOf } from './__fixtures__/store-folder.ts';
import type { Failure } from './store.ts';

const error = (type: string) => ({ status: 'error', error: { type, message: '' } }) as const;

/** One run with failures of every kind; those of other sessions come later by so many milliseconds. */
function failing(later: number): readonly CapturedSpan[] {
  const ms = (start: number, end: number): [number, number] => [start + later, end + later];
  return [
    tool({ id: 2, parent: 1, ms: ms(10, 20), ...error('ShellError') }),
    tool({ id: 3, parent: 1, ms: ms(30, 40), ...error('ShellError') }),
    tool({ id: 4, parent: 1, ms: ms(50, 60), ...error('Timeout') }),
    tool({ id: 5, parent: 1, ms: ms(50, 60) }),
    llm({ id: 6, parent: 1, ms: ms(70, 80), requestModel: 'claude-opus-4-6', ...error('overloaded_error') }),
    llm({ id: 7, parent: 1, ms: ms(85, 90), ...error('overloaded_error') }),
    agent({ id: 1, ms: ms(0, 100), outcome: 'api_error', ...error('api_error'), attributes: { project: `p${later}` } }),
    custom({ id: 8, ms: ms(0, 110), ...error('TypeError') }),
  ];
}

const store = () => storeOf(inSession('early', failing(0)), inSession('late', failing(5_000)));

test('failed spans are grouped by what failed and why, with the first and the last of each', () => {
  const groups = store().failureGroups();
  expect(groups.map(({ kind, name, cause, count, runs }) => [kind, name, cause, count, runs])).toEqual([
    // Four calls of two models: it is the API that failed.
    ['llm', undefined, 'overloaded_error', 4, 2],
    ['tool', 'Bash', 'ShellError', 4, 2],
    ['custom', 'review-pr', 'TypeError', 2, 2],
    ['agent', 'claude', 'api_error', 2, 2],
    ['tool', 'Bash', 'Timeout', 2, 2],
  ]);
  expect(groups[1]).toMatchObject({
    firstSeenAt: at(20),
    lastSeenAt: at(5_040),
    latest: { run: { id: 'late' }, span: { endedAt: at(5_040), errorType: 'ShellError' } },
  });
  expect(groups[1]?.latest.span.body()).toMatchObject({ kind: 'tool', error: { type: 'ShellError' } });
});

test('they are those of the runs that match, and no more groups than asked for', () => {
  expect(
    store()
      .failureGroups({ project: 'p0' })
      .map(({ count, runs }) => [count, runs]),
  ).toEqual([
    [2, 1],
    [2, 1],
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
  expect(store().failureGroups({ limit: 2 })).toHaveLength(2);
  expect(store().failureGroups({ project: 'nobody' })).toEqual([]);
});

test('together they are all failures', () => {
  const all = store().failures();
  const key = ({ span }: Failure): string =>
    [span.kind, span.kind === 'llm' ? '' : span.name, span.kind === 'agent' ? span.outcome : span.errorType].join('/');
  const counts = new Map<string, number>();
  for (const failure of all) counts.set(key(failure), (counts.get(key(failure)) ?? 0) + 1);
  expect(
    new Map(
      store()
        .failureGroups()
        .map((group) => [key(group.latest), group.count]),
    ),
  ).toEqual(counts);
});
