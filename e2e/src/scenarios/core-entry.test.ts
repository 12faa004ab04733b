import * as coreSdk from '@anthropic-ai/claude-agent-sdk/core';
import { answer, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { bash, usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

test('a query of the entry without schemas, `/core`, is traced as one of the main entry', async () => {
  const run = await runScenario({
    rules: [
      when.toolResult('toolu_1', /hello/).reply(answer(text('Done.'), { usage: usage(1400, 12) })),
      when
        .lastUserText('use bash')
        .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello')], { usage: usage(1200, 55) })),
    ],
    play: async ({ tracing, options }) => {
      const sdk = tracing?.wrapSdk(coreSdk) ?? coreSdk;
      for await (const _ of sdk.query({ prompt: 'use bash', options: options() }));
    },
  });
  checkTrace(run);
  expect(run.spans.map(({ kind }) => kind).toSorted()).toEqual(['agent', 'llm', 'llm', 'tool']);
  expect(run.spans.find(({ kind }) => kind === 'agent')).toMatchObject({ outcome: 'completed' });
});
