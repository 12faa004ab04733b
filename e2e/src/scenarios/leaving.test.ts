import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answer, hang, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkDelivery, checkShape, checkTrace } from '../check-trace.ts';
import { claudeChild, until } from '../processes.ts';
import { bash, usage } from '../replies.ts';
import { type Drive, runScenario, type Stage } from '../run-scenario.ts';

const done = answer(text('Done.'), { usage: usage(1400, 12) });
const slowTool = [
  when.toolResult('toolu_1').reply(done),
  when
    .lastUserText('work')
    .reply(answer(bash('toolu_1', 'touch running; sleep 20; echo never'), { usage: usage(1200, 55) })),
];

const isRunning = async ({ project }: Stage): Promise<void> =>
  until(() => existsSync(join(project.cwd, 'running')), 'the tool runs');

const readAll: Drive = async (query, { keep }) => {
  for await (const message of query) keep(message);
};

test('an interrupt ends a turn and the conversation goes on', async () => {
  const run = await runScenario({
    prompts: ['talk', 'again'],
    rules: [
      when.lastUserText(/again/).reply(answer(text('Here.'), { usage: usage(1200, 42) })),
      when.lastUserText('talk').reply(hang()),
    ],
    drive: async (query, seat) => {
      const interrupted = seat.stage.api.waitFor(({ rule }) => rule !== undefined).then(async () => query.interrupt());
      await Promise.all([interrupted, readAll(query, seat)]);
    },
  });
  // Nobody tells of a call that was not answered.
  checkTrace(run, { traces: 2, attempts: ['req_scripted_r2_001'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/interrupt.tree.txt');
});

test('with partial messages a call that an interrupt cuts is known', async () => {
  const run = await runScenario({
    prompts: ['talk'],
    options: { includePartialMessages: true },
    rules: [when.lastUserText('talk').reply(hang({ blocks: [text('word '.repeat(40))], usage: usage(1200, 42) }))],
    drive: async (query, seat) => {
      for await (const message of query) {
        seat.keep(message);
        if (message.type === 'stream_event' && message.event.type === 'content_block_delta') await query.interrupt();
      }
    },
  });
  // Its figures are the CLI's estimate, and that is in the totals alone.
  checkTrace(run, { unpriced: ['req_scripted_r1_001'], issues: ['stream_cut', 'unattributed'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/interrupt-partials.tree.txt');
});

test('an interrupt within a tool cancels the tool', async () => {
  const run = await runScenario({
    prompts: ['work'],
    rules: slowTool,
    drive: async (query, seat) => {
      const interrupted = isRunning(seat.stage).then(async () => query.interrupt());
      await Promise.all([interrupted, readAll(query, seat)]);
    },
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/interrupt-tool.tree.txt');
});

test('a consumer that leaves gets its turn ended as abandoned, with what the CLI did meanwhile', async () => {
  const run = await runScenario({
    prompt: 'work',
    rules: [
      when.toolResult('toolu_1').reply(done),
      when.lastUserText('work').reply(answer(bash('toolu_1', 'touch made.txt'), { usage: usage(1200, 55) })),
    ],
    drive: async (query, { keep, stage }) => {
      for await (const message of query) {
        keep(message);
        if (message.type === 'assistant') break;
      }
      // Without hooks a pending tool runs, as it does without tracing.
      await until(() => existsSync(join(stage.project.cwd, 'made.txt')), 'the tool has run');
    },
  });
  checkTrace(run, { issues: ['no_result'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/break.tree.txt');
});

test('an abort in the middle of an answer cancels the call', async () => {
  const abortController = new AbortController();
  const run = await runScenario({
    prompt: 'talk',
    options: { abortController },
    rules: [when.lastUserText('talk').reply(hang({ blocks: [text('word '.repeat(40))], usage: usage(1200, 42) }))],
    drive: async (query, seat) => {
      void seat.stage.api.waitFor(({ startUsage }) => startUsage !== undefined).then(() => abortController.abort());
      await readAll(query, seat);
    },
  });
  expect(run.thrown).toBeInstanceOf(Error);
  checkDelivery(run);
  checkShape(run.spans);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/abort.tree.txt');
});

test('when the process is killed in the middle of a tool everything ends, and says why', async () => {
  const run = await runScenario({
    prompt: 'work',
    rules: slowTool,
    drive: async (query, seat) => {
      const killed = isRunning(seat.stage).then(async () => {
        // What the CLI has exported by then is kept.
        const received = () => seat.stage.tracing?.stats().loopback?.received;
        await until(() => received()?.logs !== 0 && received()?.traces !== 0, 'the call has been exported');
        process.kill(claudeChild(), 'SIGKILL');
      });
      await Promise.all([killed, readAll(query, seat)]);
    },
  });
  expect(run.thrown).toBeInstanceOf(Error);
  checkTrace(run, { issues: ['no_result', 'process_gone'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/kill.tree.txt');
  expect(run.spans.find((span) => span.kind === 'tool')?.issues.map(({ code }) => code)).toContain('process_gone');
});
