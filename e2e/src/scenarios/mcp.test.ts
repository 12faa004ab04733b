import { answer, type Block, text, toolUse, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkTrace } from '../check-trace.ts';
import { usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

const call = (id: string, name: string): Block => toolUse({ id, name: `mcp__calc__${name}`, input: { a: 2, b: 3 } });

test('in-process tools succeed, throw and report an error, each in its own way', async () => {
  const run = await runScenario({
    prompt: 'calculate',
    options: ({ sdk }) => {
      const numbers = { a: z.number(), b: z.number() };
      const server = sdk.createSdkMcpServer({
        name: 'calc',
        version: '1.0.0',
        tools: [
          sdk.tool('add', 'adds', numbers, async ({ a, b }) => ({ content: [{ type: 'text', text: `${a + b}` }] })),
          sdk.tool('boom', 'throws', numbers, async () => {
            throw new Error('boom happened');
          }),
          sdk.tool('soft', 'fails', numbers, async () => ({
            content: [{ type: 'text', text: 'soft failure' }],
            isError: true,
          })),
        ],
      });
      return { mcpServers: { calc: server }, allowedTools: ['mcp__calc__add', 'mcp__calc__boom', 'mcp__calc__soft'] };
    },
    rules: [
      when.toolResult('toolu_soft', /soft failure/).reply(answer(text('Five.'), { usage: usage(1500, 9) })),
      when
        .toolResult('toolu_boom', /boom happened/)
        .reply(answer(call('toolu_soft', 'soft'), { usage: usage(1400, 30) })),
      when.toolResult('toolu_add', /5/).reply(answer(call('toolu_boom', 'boom'), { usage: usage(1300, 30) })),
      when.lastUserText('calculate').reply(answer(call('toolu_add', 'add'), { usage: usage(1200, 30) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/mcp.tree.txt');
  const tools = run.spans.filter((span) => span.kind === 'tool');
  expect(tools.map(({ mcpServer }) => mcpServer)).toEqual(['calc', 'calc', 'calc']);
});
