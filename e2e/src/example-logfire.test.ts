import { text, toolUse, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { runAgainst, treeOf } from './run-example.ts';

const TOKEN = 'pylf_v1_us_0123456789abcdef';

test('the Logfire example shows its run while it goes on, then whole, with what it lets out and nothing else', async () => {
  const { ended, spans, requests } = await runAgainst({
    rules: [
      when.toolResult('toolu_ls', /logfire\.ts/).reply(text('Programs and a demo.')),
      when.lastUserText('Look around').reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls' } })),
    ],
    file: 'logfire.ts',
    words: ['Look around'],
    env: (url) => ({ LOGFIRE_TOKEN: TOKEN, LOGFIRE_BASE_URL: url }),
  });
  expect(ended).toEqual({ code: 0, stdout: 'Programs and a demo.\n', stderr: '' });
  expect(requests.map(({ headers }) => headers['authorization'])).toEqual(requests.map(() => TOKEN));
  const isPending = ({ attributes }: (typeof spans)[number]): boolean =>
    attributes['logfire.span_type'] === 'pending_span';
  const whole = spans.filter((span) => !isPending(span));
  expect(treeOf(whole)).toEqual([
    'invoke_agent guide',
    expect.stringMatching(/^ {2}chat claude-/),
    '  execute_tool Bash',
    expect.stringMatching(/^ {2}chat claude-/),
  ]);
  const [run, , tool] = whole;
  expect(run?.attributes).toMatchObject({ 'logfire.msg': 'Agent guide: Look around', 'user.id': 'ada' });
  expect(tool?.attributes).toMatchObject({ 'logfire.msg': 'Tool Bash: ls', 'logfire.tags': ['example'] });
  expect(tool?.attributes).not.toHaveProperty(['gen_ai.tool.call.result']);
  expect(run?.resource['service.name']).toBe('guide');
  const pending = spans.filter(isPending);
  expect(pending.map(({ parentSpanId }) => parentSpanId).toSorted()).toEqual(
    whole.map(({ spanId }) => spanId).toSorted(),
  );
});
