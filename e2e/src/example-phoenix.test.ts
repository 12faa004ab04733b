import { text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { runAgainst, treeOf } from './run-example.ts';

test('the Phoenix example sends both turns as one session of its project, in OpenInference’s words', async () => {
  const { ended, spans, requests } = await runAgainst({
    rules: [
      when.lastUserText('Look around').reply(text('Programs and a demo.')),
      when.lastUserText('And now?').reply(text('The demo.')),
    ],
    file: 'phoenix.ts',
    words: ['Look around', 'And now?'],
    env: (url) => ({ PHOENIX_COLLECTOR_ENDPOINT: url, PHOENIX_API_KEY: 'px_key' }),
  });
  expect(ended).toEqual({ code: 0, stdout: 'Programs and a demo.\nThe demo.\n', stderr: '' });
  expect(new Set(requests.map(({ headers }) => headers['authorization']))).toEqual(new Set(['Bearer px_key']));
  expect(new Set(requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  const call = expect.stringMatching(/^ {2}chat claude-/);
  expect(treeOf(spans)).toEqual(['invoke_agent guide', call, 'invoke_agent guide', call]);
  expect(spans.map(({ attributes }) => attributes['openinference.span.kind'])).toEqual([
    'AGENT',
    'LLM',
    'AGENT',
    'LLM',
  ]);
  expect(new Set(spans.map(({ attributes }) => attributes['session.id'])).size).toBe(1);
  expect(spans.map(({ attributes }) => attributes['user.id'])).toEqual(spans.map(() => 'ada'));
  expect(spans.map(({ resource }) => resource['openinference.project.name'])).toEqual(spans.map(() => 'guide'));
  expect(spans.flatMap(({ attributes }) => attributes['llm.output_messages.0.message.content'] ?? [])).toEqual([
    'Programs and a demo.',
    'The demo.',
  ]);
});
