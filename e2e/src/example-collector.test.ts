import { makeProject, startCollector, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { runAgainst, treeOf } from './run-example.ts';

test('the Collector example keeps what a Collector that is away does not take, and sends it at its next start', async () => {
  await using spool = await makeProject({});
  const { url, port, close } = await startCollector();
  const run = (prompt: string) =>
    runAgainst({
      rules: [when.lastUserText(prompt).reply(text(`Answer to ${prompt}.`))],
      file: 'collector.ts',
      words: [prompt],
      env: () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, SPOOL: spool.cwd }),
    });
  await close();
  const { ended: away } = await run('one');
  expect(away).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Answer to one\.\n.*"delivered":0/) });
  expect(away.stderr).toContain(`collector: ${url}`);
  await using back = await startCollector({ port });
  const { ended } = await run('two');
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/^Answer to two\.\n.*"queued":0/);
  const spans = back.spans().toSorted((left, right) => Number(left.startedAt - right.startedAt));
  const call = expect.stringMatching(/^ {2}chat claude-/);
  expect(treeOf(spans)).toEqual(['invoke_agent guide', call, 'invoke_agent guide', call]);
  expect(spans.map(({ resource }) => resource['deployment.environment.name'])).toEqual(spans.map(() => 'test'));
});
