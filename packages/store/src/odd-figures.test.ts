import { existsSync } from 'node:fs';
import type { CapturedSpan } from '@spanprism/core';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { expect, test } from 'vitest';
import { newPath, open, storeOf, write } from './__fixtures__/store-folder.ts';
import { writeLeftovers } from './sink/leftovers.ts';
import { rowOf } from './span-row.ts';

const turn = agent({ id: 1, ms: [0, 100] });

test('figures that are no whole numbers, or absurd, are not known, and in no sum', () => {
  const odd = [
    { usage: { inputTokens: 1.5, outputTokens: 2.25 }, costUsd: 0.01 },
    { usage: { inputTokens: 2 ** 60, outputTokens: Number.NaN }, costUsd: 36_028_797_018.96 },
  ];
  const store = storeOf([
    ...odd.map((figures, index) => llm({ id: 2 + index, parent: 1, ms: [0, 50], ...figures })),
    llm({ id: 9, parent: 1, ms: [50, 90], usage: { inputTokens: 100, outputTokens: 7 }, costUsd: 0.02 }),
    turn,
  ]);
  const [run] = store.runs();
  expect(run).toMatchObject({ llmCalls: 3, usage: { inputTokens: 100, outputTokens: 7 }, costNanoUsd: 30_000_000 });
  const calls = store.run(run?.id ?? '')?.spans.filter((span) => span.kind === 'llm');
  expect(calls?.map(({ usage }) => usage?.inputTokens)).toEqual([undefined, undefined, 100]);
});

test('sums that no number holds exactly are answered all the same', () => {
  const calls = Array.from({ length: 40 }, (_, id) =>
    llm({ id: 2 + id, parent: 1, ms: [id, id + 1], usage: { inputTokens: 9e14 }, costUsd: 900_000 }),
  );
  const store = storeOf([...calls, turn]);
  for (const by of ['model', 'tool', 'project', 'day'] as const) {
    expect(store.cost({ by }).total.costNanoUsd).toBeCloseTo(40 * 9e14, -2);
    expect(store.cost({ by, filter: { failed: false } }).total.costNanoUsd).toBeCloseTo(40 * 9e14, -2);
  }
  expect(store.runs()[0]?.usage.inputTokens).toBeCloseTo(40 * 9e14, -2);
});

test('what is left over and can never be stored holds up neither the rest nor who asks', () => {
  const path = newPath();
  write(path, [turn]);
  const never = { ...tool({ id: 2, parent: 1, ms: [0, 1] }), startedAt: 2n ** 70n } as CapturedSpan;
  const file = writeLeftovers(path, [never, tool({ id: 3, parent: 1, ms: [0, 1] })].map(rowOf));
  expect(open(path).runs()[0]?.toolCalls).toBe(1);
  expect(existsSync(file)).toBe(false);
});
