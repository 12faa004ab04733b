import { answer, text, thinking, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from './check-trace.ts';
import { bash, usage } from './replies.ts';
import { type Run, runScenario } from './run-scenario.ts';

const wire = { wire: true } as const;

function calls({ spans }: Run) {
  return spans.filter((span) => span.kind === 'llm').toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

test('what passes on the wire completes the call: prompts, instructions, tools and the answer', async () => {
  const run = await runScenario({
    prompt: 'say hello',
    tracing: wire,
    rules: [when.lastUserText('say hello').reply(answer([thinking('hm'), text('Hello.')], { usage: usage(1200, 42) }))],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('./__trees__/text.tree.txt');
  const [call] = calls(run);
  expect(call?.seenBy).toEqual(['cli', 'sdk', 'wire']);
  expect(call?.systemInstructions?.join('\n')).toContain('Claude');
  expect(call?.systemInstructions?.join('\n')).not.toContain('x-anthropic-billing-header');
  expect(call?.toolDefinitions?.map(({ name }) => name)).toContain('Bash');
  expect(call?.input?.at(-1)?.content.at(-1)).toEqual({ type: 'text', text: 'say hello' });
  expect(call?.output).toMatchObject([
    {
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'Hello.' },
      ],
    },
  ]);
  expect(call?.issues).toEqual([]);
  expect(run.stats?.wire).toMatchObject({ state: 'listening', calls: 1, captured: 1, lost: 0, late: 0, refused: 0 });
});

test('each call of a conversation has the messages that are new in it, and its figures once', async () => {
  const run = await runScenario({
    prompt: 'use bash',
    tracing: wire,
    rules: [
      when.toolResult('toolu_1', /hello/).reply(answer(text('Done.'), { usage: usage(1400, 12), gzip: true })),
      when
        .lastUserText('use bash')
        .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello')], { usage: usage(1200, 55) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('./__trees__/one-tool.tree.txt');
  const [, second] = calls(run);
  expect(second?.input).toMatchObject([{ role: 'user', content: [{ type: 'tool_result', toolUseId: 'toolu_1' }] }]);
  expect(second).not.toHaveProperty('systemInstructions');
  expect(second).not.toHaveProperty('toolDefinitions');
});
