import {
  cleanEnvironment,
  makeProject,
  type SentrySpanRow,
  startMessagesApi,
  startSentryEndpoint,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { runExample } from './run-example.ts';

/** Nobody can await `ready()` here: on a machine that is very busy the first query begins before the receiver listens. */
const SLOW_START = /^spanprism warn: .*not listening after 200 ms.*\n/;

function treeOf(rows: readonly SentrySpanRow[], parent?: SentrySpanRow, depth = 0): readonly string[] {
  const children = rows.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  const inOrder = children.toSorted((left, right) => left.startedAt - right.startedAt);
  return inOrder.flatMap((row) => [`${'  '.repeat(depth)}${row.name}`, ...treeOf(rows, row, depth + 1)]);
}

test('the Sentry example shows its run below its own span, a failure as an error inside it, and what it lets out', async () => {
  await using project = await makeProject();
  await using sentry = await startSentryEndpoint();
  await using api = await startMessagesApi({
    rules: [
      when.toolResult('toolu_ls').reply(text('Nothing there.')),
      when
        .lastUserText('Look around')
        .reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls nowhere' } })),
    ],
  });
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra: { SENTRY_DSN: sentry.dsn } });
  const ended = await runExample('sentry.ts', ['Look around'], env);
  expect({ ...ended, stderr: ended.stderr.replace(SLOW_START, '') }).toEqual({
    code: 0,
    stdout: 'Nothing there.\n',
    stderr: '',
  });
  const agent = sentry.spans().find(({ name }) => name === 'invoke_agent guide');
  const ours = sentry.spans().filter(({ traceId }) => traceId === agent?.traceId);
  expect(treeOf(ours)).toEqual([
    'guide',
    '  invoke_agent guide',
    expect.stringMatching(/^ {4}chat claude-/),
    '    execute_tool Bash',
    expect.stringMatching(/^ {4}chat claude-/),
  ]);
  const tool = ours.find(({ op }) => op === 'gen_ai.execute_tool');
  expect(tool?.attributes['gen_ai.tool.call.arguments']).toContain('ls nowhere');
  // What the program prints is a breadcrumb of Sentry's own, with the error; of ours nothing has the answer.
  expect(JSON.stringify(sentry.spans())).not.toContain('Nothing there.');
  expect(sentry.errors()).toMatchObject([
    {
      exception: { values: [{ value: 'execute_tool Bash failed', mechanism: { type: 'auto.ai.claude_agent_sdk' } }] },
      contexts: { trace: { span_id: tool?.spanId } },
      user: { id: 'ada' },
    },
  ]);
  // No call to the model is there a second time, by Sentry's own integrations.
  const calls = sentry.spans().filter(({ op }) => op === 'gen_ai.chat');
  expect(calls).toHaveLength(2);
  for (const { attributes } of calls) expect(attributes['gen_ai.usage.output_tokens']).toBeTypeOf('number');
});
