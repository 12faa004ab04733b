import { answer, type Block, text, thinking, toolUse, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from '../check-trace.ts';
import { bash, usage } from '../replies.ts';
import { runScenario } from '../run-scenario.ts';

const oneTool = (command: string, result: RegExp) => [
  when.toolResult('toolu_1', result).reply(answer(text('Done.'), { usage: usage(1400, 12) })),
  when
    .lastUserText('use bash')
    .reply(answer([text('Let me check.'), bash('toolu_1', command)], { usage: usage(1200, 55) })),
];

test('a text answer is one call below one turn', async () => {
  const run = await runScenario({
    prompt: 'say hello',
    rules: [when.lastUserText('say hello').reply(answer(text('Hello.'), { usage: usage(1200, 42) }))],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/text.tree.txt');
  const [turn] = run.spans.filter((span) => span.kind === 'agent');
  expect(turn).toMatchObject({
    role: 'main',
    sessionId: run.messages[0]?.session_id,
    totals: { usage: { inputTokens: 5500, outputTokens: 42, cacheReadTokens: 4000, cacheWriteTokens: 300 } },
    llmCalls: 1,
    toolCalls: 0,
    input: [{ role: 'user', content: [{ type: 'text', text: 'say hello' }] }],
    output: [{ role: 'assistant', content: [{ type: 'text', text: 'Hello.' }] }],
  });
});

test('a tool stands beside the call that asked for it and knows its id', async () => {
  const run = await runScenario({ prompt: 'use bash', rules: oneTool('echo hello', /hello/) });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/one-tool.tree.txt');
  const asking = run.spans.find((span) => span.kind === 'llm' && span.stopReason === 'tool_use');
  const tool = run.spans.find((span) => span.kind === 'tool');
  expect(tool).toMatchObject({ requestedByLlmSpanId: asking?.spanId, input: { command: 'echo hello' } });
  expect(tool?.executionStartedAt).toBeTypeOf('bigint');
});

test('parallel tools are siblings whose results come in the order of completion', async () => {
  const run = await runScenario({
    prompt: 'use three tools',
    rules: [
      when.toolResult('toolu_c').reply(answer(text('Done.'), { usage: usage(1500, 10) })),
      when
        .lastUserText('use three tools')
        .reply(
          answer(
            [
              text('Three.'),
              bash('toolu_a', 'sleep 0.4; echo a'),
              bash('toolu_b', 'sleep 0.2; echo b'),
              bash('toolu_c', 'echo c'),
            ],
            { usage: usage(1200, 90) },
          ),
        ),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/parallel-tools.tree.txt');
});

test('a tool that fails is an error of its own, not of the turn', async () => {
  const run = await runScenario({ prompt: 'use bash', rules: oneTool('echo broken >&2; exit 3', /broken/) });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/tool-failure.tree.txt');
  const tool = run.spans.find((span) => span.kind === 'tool');
  expect(tool?.error?.message).toContain('broken');
});

test('a tool that does not exist and one with a wrong input are errors, though the CLI reports neither', async () => {
  const wrong: readonly Block[] = [
    toolUse({ id: 'toolu_unknown', name: 'NoSuchTool', input: { x: 1 } }),
    toolUse({ id: 'toolu_invalid', name: 'Bash', input: { command: 7 } }),
  ];
  const run = await runScenario({
    prompt: 'go wrong',
    rules: [when.toolResult('toolu_invalid').reply(text('Sorry.')), when.lastUserText('go wrong').reply(answer(wrong))],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/tool-unknown-and-invalid.tree.txt');
});

test('thinking is kept as the content that it is', async () => {
  const run = await runScenario({
    prompt: 'think',
    options: { model: 'claude-opus-4-6' },
    rules: [
      when
        .lastUserText('think')
        .reply(answer([thinking('step by step'), text('Thought.')], { usage: usage(1200, 80) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/thinking.tree.txt');
  const call = run.spans.find((span) => span.kind === 'llm');
  expect(call?.output?.[0]?.content).toMatchObject([
    { type: 'thinking', thinking: 'step by step' },
    { type: 'text', text: 'Thought.' },
  ]);
});

test('partial messages that the user asked for reach him and change no figure', async () => {
  const run = await runScenario({
    prompt: 'use bash',
    options: { includePartialMessages: true },
    rules: oneTool('echo hello', /hello/),
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/partial-messages.tree.txt');
  expect(run.messages.filter(({ type }) => type === 'stream_event').length).toBeGreaterThan(5);
  expect(run.spans.find((span) => span.kind === 'llm')?.seenBy.toSorted()).toEqual(['cli', 'partials', 'sdk']);
});

test('of 200 KB of tool output the trace has what the model was shown', async () => {
  const run = await runScenario({
    prompt: 'use bash',
    rules: oneTool('head -c 200000 /dev/zero | tr "\\0" x', /xxx/),
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/long-output.tree.txt');
  const tool = run.spans.find((span) => span.kind === 'tool');
  expect(tool?.output).toMatch(/^<persisted-output>\nOutput too large \(195\.3KB\)/);
});

test('emoji and right-to-left text pass through; a lone surrogate, which UTF-8 has no bytes for, is replaced', async () => {
  const prompt = 'emoji 🎉 \u202ertl\u202c lone \ud83d end';
  const run = await runScenario({
    prompt,
    rules: [
      when
        .toolResult('toolu_1')
        .reply(answer(text(['split \ud83c', '\udf89 lone \ud83d']), { usage: usage(1400, 12) })),
      when.lastUserText(/rtl/).reply(answer(bash('toolu_1', "printf '🎉 \u00e9'"), { usage: usage(1200, 55) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/unicode.tree.txt');
  const turn = run.spans.find((span) => span.kind === 'agent');
  expect(turn?.input?.[0]?.content).toEqual([{ type: 'text', text: prompt.replace('\ud83d end', '\ufffd end') }]);
});

test('structured output is a tool of the main loop', async () => {
  const schema = { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'] };
  const run = await runScenario({
    prompt: 'how many',
    options: { outputFormat: { type: 'json_schema', schema } },
    rules: [
      when.lastUserText('how many').reply(
        answer(toolUse({ id: 'toolu_out', name: 'StructuredOutput', input: { answer: 42 } }), {
          usage: usage(1200, 42),
        }),
      ),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('../__trees__/structured-output.tree.txt');
  expect(run.messages.at(-1)).toMatchObject({ type: 'result', structured_output: { answer: 42 } });
});

test('the title that the CLI asks for beside the turn is a call of its own kind, paid for like any other', async () => {
  const title = answer(text(JSON.stringify({ title: 'A title' })), { usage: usage(200, 8) });
  const run = await runScenario({
    prompt: 'Please refactor',
    env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: undefined },
    rules: [
      when.purpose('title').reply(title),
      when.lastUserText('Please refactor').reply(answer(text('Yes.'), { delayMs: 300, usage: usage(1200, 42) })),
    ],
  });
  checkTrace(run);
  // Both are asked for at once, so their order is nobody's.
  const purposes = run.spans.flatMap((span) => (span.kind === 'llm' ? [span.purpose] : []));
  expect(purposes.toSorted()).toEqual(['title', 'turn']);
});
