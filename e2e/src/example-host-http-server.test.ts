import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text as read } from 'node:stream/consumers';
import {
  answer,
  cleanEnvironment,
  makeProject,
  type Rule,
  startCollector,
  startMessagesApi,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { root, treeOf } from './run-example.ts';

const stockOf = (article: string): Rule =>
  when
    .lastUserText(new RegExp(article))
    .reply(answer(toolUse({ id: `toolu_${article}`, name: 'mcp__shop__stock', input: { article } })));

const rules = [
  when.toolResult('toolu_lamp', '4 left').reply(answer(text('Four lamps.'))),
  when.toolResult('toolu_chair', '5 left').reply(answer(text('Five chairs.'))),
  stockOf('lamp'),
  stockOf('chair'),
];

/** The service in a process of its own: a request asks it over HTTP, `end` takes it down as its host would. */
async function startService(env: Readonly<Record<string, string>>) {
  const file = join(root, 'examples', 'host-http-server.ts');
  const service = spawn(process.execPath, ['--conditions=@spanprism/source', file], {
    env,
    cwd: join(root, 'examples'),
  });
  const stderr = read(service.stderr);
  const [line] = (await once(service.stdout, 'data')) as [Buffer];
  const { port }: { port: number } = JSON.parse(/\{.*\}/.exec(line.toString())?.[0] ?? '{}');
  return {
    ask: async (question: string) =>
      (
        await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: question, headers: { connection: 'close' } })
      ).text(),
    end: async () => {
      service.kill('SIGTERM');
      const [code] = await once(service, 'exit');
      return { code: code as number | null, stderr: await stderr };
    },
  };
}

test('each request to the service is one trace: request, agent, tool and what the tool does, two at once too', async () => {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  await using collector = await startCollector();
  const extra = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'shop', PORT: '0' };
  const service = await startService(cleanEnvironment({ home: project.home, apiUrl: api.url, extra }));
  const answers = await Promise.all([service.ask('How many lamps?'), service.ask('How many chairs?')]);
  expect(answers).toEqual(['Four lamps.', 'Five chairs.']);
  expect(await service.end()).toEqual({ code: 0, stderr: '' });

  const spans = collector.spans().toSorted((left, right) => Number(left.startedAt - right.startedAt));
  const requests = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(requests.map(({ name, kind }) => [name, kind])).toEqual([
    ['POST /ask', 2],
    ['POST /ask', 2],
  ]);
  for (const request of requests) {
    const own = spans.filter(({ traceId }) => traceId === request.traceId);
    expect(treeOf(own)).toEqual([
      'POST /ask',
      '  invoke_agent claude',
      expect.stringMatching(/^ {4}chat claude-/),
      '    execute_tool mcp__shop__stock',
      '      SELECT stock',
      expect.stringMatching(/^ {4}chat claude-/),
    ]);
  }
  expect(new Set(spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['shop']));
});
