import type { Sink } from '@spanprism/core';
import { answer, text, when } from '@spanprism/testkit';
import { agent, bash, usage } from '../src/replies.ts';
import { type Run, runScenario } from '../src/run-scenario.ts';

const main = when.agent('main');
const sub = when.agent('subagent');

const rules = [
  sub.toolResult('toolu_sub').reply(answer(text('ALPHA is here.'), { usage: usage(700, 24) })),
  sub.firstUserText('Find ALPHA').reply(answer(bash('toolu_sub', 'cat a.txt'), { usage: usage(600, 30) })),
  main.toolResult('toolu_agent').reply(answer(text('All done.'), { usage: usage(1500, 25) })),
  main.lastUserText('delegate').reply(answer(agent('toolu_agent', 'Find ALPHA', false), { usage: usage(1200, 60) })),
];

/** What the four calls of the run use, by Anthropic's count with the cached tokens added, as OpenTelemetry counts. */
export const DELEGATED_TOKENS = { input: 1200 + 600 + 700 + 1500 + 4 * 4300, output: 60 + 30 + 24 + 25 } as const;

/** A run of the real `claude` with a subagent that uses a tool, told to these sinks. */
export function delegatedRun(sinks: readonly Sink[]): Promise<Run> {
  return runScenario({ prompt: 'delegate', rules, tracing: { sinks, capture: 'full' } });
}
