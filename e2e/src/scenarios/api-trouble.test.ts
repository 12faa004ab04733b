import { answer, apiError, cut, refusal, streamError, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { bash, usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

const hi = when.lastUserText('hi');
const fine = answer(text('Finally.'), { usage: usage(1200, 9) });

test('a 429 and the answer that follows it are two attempts of one call', async () => {
  const run = await runScenario({ prompt: 'hi', rules: [hi.reply([apiError(429, { retryAfter: 1 }), fine])] });
  checkTrace(run, { attempts: ['req_scripted_r1_001'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/retry-429.tree.txt');
  const call = run.spans.find((span) => span.kind === 'llm');
  expect(call).toMatchObject({ attempts: 2, events: [{ name: 'retry', attributes: {} }] });
});

test('overload is retried as well', async () => {
  const run = await runScenario({ prompt: 'hi', rules: [hi.reply([apiError(529), apiError(529), fine])] });
  checkTrace(run, { attempts: ['req_scripted_r1_001', 'req_scripted_r1_002'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/retry-529.tree.txt');
  expect(run.spans.find((span) => span.kind === 'llm')?.attempts).toBe(3);
});

test('a fatal error is in the trace once, although the iterator throws it after the result has told it', async () => {
  const run = await runScenario({
    prompt: 'hi',
    env: { CLAUDE_CODE_MAX_RETRIES: '0' },
    rules: [hi.reply(apiError(400, { message: 'no such thing' }))],
  });
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', is_error: true });
  expect(run.thrown).toBeInstanceOf(Error);
  const calls = run.calls.map(({ requestId }) => requestId);
  checkTrace(run, { attempts: calls.slice(0, -1), unpriced: calls.slice(-1) });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/fatal-400.tree.txt');
  const [call] = run.spans.filter((span) => span.kind === 'llm');
  expect(call).toMatchObject({ status: 'error', error: { type: 'invalid_request_error' } });
  expect(call).not.toHaveProperty('usage');
});

test('a stream that is cut within a block is asked for again, and what the CLI estimates stays apart', async () => {
  const run = await runScenario({
    prompt: 'hi',
    rules: [hi.reply([cut({ blocks: [text('This is a partial answer')], usage: usage(1200, 9) }), fine])],
  });
  // The CLI puts the estimated cost of the cut attempt on the call that follows, its tokens into the totals alone.
  checkTrace(run, {
    attempts: ['req_scripted_r1_001'],
    unpriced: ['req_scripted_r1_002'],
    issues: ['unattributed'],
  });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/mid-stream-cut.tree.txt');
  const call = run.spans.find((span) => span.kind === 'llm');
  expect(call?.usage).toMatchObject({ inputTokens: 5500, outputTokens: 9 });
  const turn = run.spans.find((span) => span.kind === 'agent');
  expect(turn?.unattributed?.usage).toMatchObject({ inputTokens: 5500 });
  expect(turn?.unattributed).not.toHaveProperty('costUsd');
});

test('an error within a stream is followed by an answer that does not stream', async () => {
  const run = await runScenario({
    prompt: 'hi',
    rules: [hi.reply([streamError({ blocks: [text('This is a partial answer')], usage: usage(1200, 9) }), fine])],
  });
  checkTrace(run, { attempts: ['req_scripted_r1_001'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/mid-stream-error.tree.txt');
});

test('a refusal is two calls, and the turn says so', async () => {
  const run = await runScenario({ prompt: 'hi', rules: [when.reply(refusal({ usage: usage(1200, 42) }))] });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/refusal.tree.txt');
});

test('a turn that has used up its turns says so', async () => {
  const more = (request: { readonly toolResults: readonly unknown[] }, nth: string) =>
    answer(bash(`toolu_${nth}${request.toolResults.length}`, 'true'), { usage: usage(1200, 42) });
  const run = await runScenario({
    prompt: 'go on',
    options: { maxTurns: 2 },
    rules: [
      when.toolResult('toolu_a0').reply((request) => more(request, 'b')),
      when.lastUserText('go on').reply((request) => more(request, 'a')),
    ],
  });
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', subtype: 'error_max_turns' });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/max-turns.tree.txt');
});

test('the call that spends the budget is in the totals alone', async () => {
  const spend = { usage: usage(3000, 300) };
  const run = await runScenario({
    prompt: 'spend',
    options: { maxBudgetUsd: 0.02 },
    rules: [
      when.toolResult('toolu_a').reply(answer(bash('toolu_b', 'true'), spend)),
      when.lastUserText('spend').reply(answer(bash('toolu_a', 'true'), spend)),
    ],
  });
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', subtype: 'error_max_budget_usd' });
  checkTrace(run, { unpriced: ['req_scripted_r1_001'], issues: ['unattributed', 'no_end'] });
  await expect(run.tree).toMatchFileSnapshot('../__trees__/max-budget.tree.txt');
  expect(run.spans.find((span) => span.kind === 'agent')?.unattributed).toMatchObject({
    usage: { inputTokens: 7300, outputTokens: 300 },
    costUsd: expect.closeTo(0.015825, 9),
  });
});
