import { setTimeout as delay } from 'node:timers/promises';
import { msBetween } from '@spanprism/core';
import { answer, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { bash, usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

const rules = [
  when.toolResult('toolu_1').reply(answer(text('Fine.'), { usage: usage(1400, 12) })),
  when.lastUserText('touch it').reply(answer(bash('toolu_1', 'touch made.txt'), { usage: usage(1200, 55) })),
];

test('the wait for a host that allows is a span below the tool', async () => {
  const run = await runScenario({
    prompt: 'touch it',
    rules,
    options: {
      allowedTools: [],
      canUseTool: async (_name, updatedInput) => {
        await delay(300);
        return { behavior: 'allow', updatedInput };
      },
    },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/permission-allow.tree.txt');
  const permission = run.spans.find((span) => span.kind === 'permission');
  const tool = run.spans.find((span) => span.kind === 'tool');
  expect(permission?.parentSpanId).toBe(tool?.spanId);
  // The host took 300 ms, give or take a tick of the timer's clock.
  expect(msBetween(permission!.startedAt, permission!.endedAt!)).toBeGreaterThanOrEqual(298);
  // The CLI cuts the starts of its spans to whole milliseconds.
  expect(msBetween(permission!.endedAt!, tool!.executionStartedAt!)).toBeGreaterThan(-1);
});

test('a denial by the host is a decision, not a failure', async () => {
  const run = await runScenario({
    prompt: 'touch it',
    rules,
    options: { allowedTools: [], canUseTool: async () => ({ behavior: 'deny', message: 'not today' }) },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/permission-deny-host.tree.txt');
  expect(run.spans.find((span) => span.kind === 'tool')?.denied).toEqual({ decidedBy: 'host' });
  expect(run.spans.find((span) => span.kind === 'agent')?.permissionDenials).toBe(1);
});

test('a denial by a rule asks nobody', async () => {
  const run = await runScenario({ prompt: 'touch it', rules, options: { disallowedTools: ['Bash(touch:*)'] } });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/permission-deny-rule.tree.txt');
  expect(run.spans.find((span) => span.kind === 'tool')?.denied).toEqual({ decidedBy: 'rule' });
});
