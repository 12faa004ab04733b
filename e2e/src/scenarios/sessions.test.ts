import { treeText } from '@spanprism/core';
import { answer, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { bash, usage } from '../replies.ts';
import { type Heard, type Run, runScenario } from '../run-scenario.ts';

const say = (prompt: RegExp | string, words: string) =>
  when.lastUserText(prompt).reply(answer(text(words), { usage: usage(1000, 10) }));

test('three turns of one conversation are three traces of one session', async () => {
  const run = await runScenario({
    prompts: ['one', 'two', 'three'],
    rules: [
      when.toolResult('toolu_2').reply(answer(text('Two.'), { usage: usage(1200, 50) })),
      say('one', 'One.'),
      when.lastUserText('two').reply(answer(bash('toolu_2', 'echo 2'), { usage: usage(1000, 20) })),
      say('three', 'Three.'),
    ],
  });
  checkTrace(run, { traces: 3 });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/three-turns.tree.txt');
  const turns = run.spans.filter((span) => span.kind === 'agent');
  expect(turns.map(({ totals }) => totals?.usage.outputTokens)).toEqual([10, 70, 10]);
  expect(new Set(turns.map(({ sessionId }) => sessionId)).size).toBe(1);
});

test('a resumed session and a fork of it start their totals anew', async () => {
  const heard: Heard[] = [];
  const run = await runScenario({
    rules: [say(/fork/, 'Forked.'), say(/again/, 'Again.'), say('first', 'First.')],
    play: async ({ ask }) => {
      heard.push(await ask('first'));
      const resume = sessionOf(heard[0]);
      heard.push(await ask('again', { resume }));
      heard.push(await ask('fork', { resume, forkSession: true }));
    },
  });
  checkTrace(run, { traces: 3 });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/resume-and-fork.tree.txt');
  const turns = run.spans.filter((span) => span.kind === 'agent');
  expect(turns.map(({ totals }) => totals?.usage.outputTokens)).toEqual([10, 10, 10]);
  expect(turns.map(({ sessionId }) => sessionId)).toEqual(heard.map((one) => sessionOf(one)));
  expect(sessionOf(heard[1])).toBe(sessionOf(heard[0]));
  expect(sessionOf(heard[2])).not.toBe(sessionOf(heard[0]));
});

test('a compaction is a call of its own kind in the turn of the command', async () => {
  const summary = answer(text('<summary>They said one.</summary>'), { usage: usage(2000, 200) });
  const run = await runScenario({
    prompts: ['one', '/compact', 'two'],
    rules: [
      when.purpose('compaction').reply(summary),
      say('one', 'a fairly long reply '.repeat(50)),
      say('two', 'a fairly long reply '.repeat(50)),
    ],
  });
  checkTrace(run, { traces: 3 });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/compaction.tree.txt');
});

test('two queries at once keep everything apart, also tool calls of the same id', async () => {
  const side = (name: string) => [
    when
      .firstUserText(name)
      .toolResult('toolu_same', new RegExp(`out-${name}`))
      .reply(answer(text(`End ${name}.`), { usage: usage(1400, 12) })),
    when
      .lastUserText(name)
      .reply(answer(bash('toolu_same', `sleep 0.2; echo out-${name}`), { usage: usage(1200, 55) })),
  ];
  const heard: Heard[] = [];
  const run = await runScenario({
    rules: [...side('left'), ...side('right')],
    play: async ({ ask }) => {
      heard.push(...(await Promise.all([ask('left'), ask('right')])));
    },
  });
  checkTrace(run, { traces: 2 });
  for (const [index, name] of ['left', 'right'].entries()) {
    const tree = treeText(run.spans.filter(({ sessionId }) => sessionId === sessionOf(heard[index])));
    await expect(tree).toMatchFileSnapshot(`../__trees__/two-queries-${name}.tree.txt`);
  }
});

test('a query on a process that was started early has a turn of its own length', async () => {
  const run = await runScenario({
    rules: [say('hello', 'Hello.')],
    play: async ({ sdk, options }) => {
      const warm = await sdk.startup({ options: options() });
      for await (const _ of warm.query('hello')) continue;
    },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/startup.tree.txt');
});

test('a spare process that is claimed is a query like any other', async () => {
  const run = await runScenario({
    rules: [say('hello', 'Hello.')],
    play: async ({ sdk, options, project }) => {
      const spare = await sdk.prewarm({ options: options() });
      for await (const _ of spare.claim({ prompt: 'hello', options: { cwd: project.cwd } })) continue;
    },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/prewarm.tree.txt');
});

test('a process that was started early and never used leaves no trace', async () => {
  const run: Run = await runScenario({
    rules: [],
    play: async ({ sdk, options }) => {
      const warm = await sdk.startup({ options: options() });
      warm.close();
      const spare = await sdk.prewarm({ options: options() });
      await spare[Symbol.asyncDispose]();
    },
  });
  expect(run.told).toEqual([]);
  expect(run.stats?.queries).toEqual({ open: 0, settled: 2 });
});

function sessionOf(heard: Heard | undefined): string {
  const session = heard?.messages[0]?.session_id;
  if (session === undefined) throw new Error('the query never told its session');
  return session;
}
