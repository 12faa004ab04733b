import { setTimeout as delay } from 'node:timers/promises';
import { answer, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { agent, bash, usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

const main = when.agent('main');
const sub = when.agent('subagent');

const one = [
  sub.toolResult('toolu_sub').reply(answer(text('ALPHA is here.'), { usage: usage(700, 24) })),
  sub.firstUserText('Find ALPHA').reply(answer(bash('toolu_sub', 'cat a.txt'), { usage: usage(600, 30) })),
  main.toolResult('toolu_agent').reply(answer(text('All done.'), { usage: usage(1500, 25) })),
  main
    .lastUserText('delegate')
    .reply(answer([text('Delegating.'), agent('toolu_agent', 'Find ALPHA', false)], { usage: usage(1200, 60) })),
];

test('a subagent stands below the call that asked for it, with its calls and tools', async () => {
  const run = await runScenario({ prompt: 'delegate', rules: one });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/subagent-one.tree.txt');
  expect(run.spans.find((span) => span.kind === 'agent' && span.role === 'subagent')).toMatchObject({
    agentId: run.calls.find((call) => call.agentId !== undefined)?.agentId,
    agentName: 'general-purpose',
  });
});

test('subagents side by side keep their calls apart', async () => {
  const run = await runScenario({
    prompt: 'delegate twice',
    rules: [
      sub.toolResult('toolu_a').reply(answer(text('ALPHA.'), { usage: usage(700, 24) })),
      sub.toolResult('toolu_b').reply(answer(text('BETA.'), { usage: usage(710, 25) })),
      sub.firstUserText('Find ALPHA').reply(answer(bash('toolu_a', 'sleep 0.3; cat a.txt'), { usage: usage(600, 30) })),
      sub.firstUserText('Find BETA').reply(answer(bash('toolu_b', 'cat b.txt'), { usage: usage(610, 31) })),
      main.toolResult('toolu_two').reply(answer(text('Both found.'), { usage: usage(1500, 25) })),
      main.lastUserText('delegate twice').reply(
        answer([agent('toolu_one', 'Find ALPHA', false), agent('toolu_two', 'Find BETA', false)], {
          usage: usage(1200, 60),
        }),
      ),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/subagent-parallel.tree.txt');
});

test('a consumer that reads slowly gets the same tree with the same figures', async () => {
  const run = await runScenario({
    prompt: 'delegate',
    rules: one,
    drive: async (query, { keep }) => {
      for await (const message of query) {
        keep(message);
        await delay(150);
      }
    },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/subagent-one.tree.txt');
});

test('a subagent of a subagent nests twice', async () => {
  const run = await runScenario({
    prompt: 'delegate deeply',
    options: { agents: { outer: { description: 'outer', prompt: 'You delegate.', tools: ['Agent', 'Bash'] } } },
    rules: [
      sub.firstUserText('Find GAMMA').reply(answer(text('GAMMA.'), { usage: usage(500, 11) })),
      sub.toolResult('toolu_inner').reply(answer(text('It says GAMMA.'), { usage: usage(700, 24) })),
      sub
        .firstUserText('Ask for GAMMA')
        .reply(answer(agent('toolu_inner', 'Find GAMMA', false), { usage: usage(600, 30) })),
      main.toolResult('toolu_outer').reply(answer(text('All done.'), { usage: usage(1500, 25) })),
      main
        .lastUserText('delegate deeply')
        .reply(answer(agent('toolu_outer', 'Ask for GAMMA', false), { usage: usage(1200, 60) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/subagent-nested.tree.txt');
});

test('a background subagent outlives its turn, and its notice starts one more', async () => {
  const run = await runScenario({
    prompt: 'delegate',
    rules: [
      sub.toolResult('toolu_sub').reply(answer(text('GAMMA.'), { usage: usage(700, 24) })),
      sub
        .firstUserText('Find GAMMA')
        .reply(answer(bash('toolu_sub', 'cat a.txt'), { delayMs: 400, usage: usage(600, 30) })),
      main.taskNotification().reply(answer(text('It is done.'), { usage: usage(1600, 8) })),
      main.toolResult('toolu_bg').reply(answer(text('Started.'), { usage: usage(1500, 25) })),
      main.lastUserText('delegate').reply(answer(agent('toolu_bg', 'Find GAMMA'), { usage: usage(1200, 60) })),
    ],
  });
  checkTrace(run, { traces: 2 });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/subagent-background.tree.txt');
  const agents = run.spans.filter((span) => span.kind === 'agent');
  expect(agents.filter(({ isSegment }) => isSegment === true).map(({ role }) => role)).toEqual(['subagent']);
  expect(agents.map(({ trigger }) => trigger)).toContain('task_notification');
});
