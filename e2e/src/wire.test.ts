import { once } from 'node:events';
import { createServer, request as passOn } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, text, thinking, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from './check-trace.ts';
import { agent, bash, usage } from './replies.ts';
import { type Run, runScenario } from './run-scenario.ts';

const wire = { wire: true } as const;

function calls({ spans }: Run) {
  return spans.filter((span) => span.kind === 'llm').toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

test('what passes on the wire completes the call: prompts, instructions, tools and the answer', async () => {
  const run = await runScenario({
    prompt: 'say hello',
    tracing: wire,
    rules: [when.lastUserText('say hello').reply(answer([thinking('hm'), text('Hello.')], { usage: usage(1200, 42) }))],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('./__trees__/text.tree.txt');
  const [call] = calls(run);
  expect(call?.seenBy).toEqual(['cli', 'sdk', 'wire']);
  expect(call?.systemInstructions?.join('\n')).toContain('Claude');
  expect(call?.systemInstructions?.join('\n')).not.toContain('x-anthropic-billing-header');
  expect(call?.toolDefinitions?.map(({ name }) => name)).toContain('Bash');
  expect(call?.input?.at(-1)?.content.at(-1)).toEqual({ type: 'text', text: 'say hello' });
  expect(call?.output).toMatchObject([
    {
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'Hello.' },
      ],
    },
  ]);
  expect(call?.issues).toEqual([]);
  expect(run.stats?.wire).toMatchObject({ state: 'listening', calls: 1, captured: 1, lost: 0, late: 0, refused: 0 });
});

test('each call of a conversation has the messages that are new in it, and its figures once', async () => {
  const run = await runScenario({
    prompt: 'use bash',
    tracing: wire,
    rules: [
      when.toolResult('toolu_1', /hello/).reply(answer(text('Done.'), { usage: usage(1400, 12), gzip: true })),
      when
        .lastUserText('use bash')
        .reply(answer([text('Let me check.'), bash('toolu_1', 'echo hello')], { usage: usage(1200, 55) })),
    ],
  });
  checkTrace(run);
  await expect(run.tree).toMatchFileSnapshot('./__trees__/one-tool.tree.txt');
  const [, second] = calls(run);
  expect(second?.input).toMatchObject([{ role: 'user', content: [{ type: 'tool_result', toolUseId: 'toolu_1' }] }]);
  expect(second).not.toHaveProperty('systemInstructions');
  expect(second).not.toHaveProperty('toolDefinitions');
});

test('calls of subagents are told apart by their headers', async () => {
  const run = await runScenario({
    prompt: 'delegate',
    tracing: wire,
    rules: [
      when
        .agent('subagent')
        .toolResult('toolu_sub', /sub/)
        .reply(answer(text('Sub done.'), { usage: usage(700, 6) })),
      when
        .agent('subagent')
        .lastUserText('do it')
        .reply(answer(bash('toolu_sub', 'echo sub'), { usage: usage(600, 30) })),
      when.toolResult('toolu_agent').reply(answer(text('All done.'), { usage: usage(1500, 12) })),
      when.lastUserText('delegate').reply(answer(agent('toolu_agent', 'do it', false), { usage: usage(1200, 55) })),
    ],
  });
  checkTrace(run);
  expect(calls(run).map(({ agentName, seenBy, purpose }) => [agentName, seenBy.includes('wire'), purpose])).toEqual([
    ['main', true, 'turn'],
    ['general-purpose', true, 'turn'],
    ['general-purpose', true, 'turn'],
    ['main', true, 'turn'],
  ]);
  expect(calls(run)[1]?.input?.at(-1)?.content.at(-1)).toMatchObject({ text: 'do it' });
  expect(calls(run)[1]?.output).toMatchObject([{ content: [{ type: 'tool_use', id: 'toolu_sub' }] }]);
});

test('without the CLI’s telemetry the wire has the figures of every call', async () => {
  const run = await runScenario({
    prompt: 'use bash',
    tracing: { ...wire, cliTelemetry: 'off' },
    rules: [
      when.toolResult('toolu_1', /hello/).reply(answer(text('Done.'), { usage: usage(1400, 12) })),
      when.lastUserText('use bash').reply(answer(bash('toolu_1', 'echo hello'), { usage: usage(1200, 55) })),
    ],
  });
  expect(calls(run).map((call) => [call.usage?.inputTokens, call.usage?.outputTokens, call.seenBy])).toEqual([
    [5500, 55, ['partials', 'sdk', 'wire']],
    [5700, 12, ['partials', 'sdk', 'wire']],
  ]);
  expect(run.stats).toMatchObject({ caught: 0, observations: { late: 0, unplaced: 0 } });
  expect(calls(run).flatMap(({ issues }) => issues)).toEqual([]);
});

test.each(['HTTP_PROXY', 'ALL_PROXY'])(
  'a proxy of the child’s neither catches what comes to us nor is passed by on the way out: %s',
  async (name) => {
    const credentials = 'me:proxy-canary-4713';
    const asked: string[] = [];
    const proxy = createServer((incoming, response) => {
      asked.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization']}`);
      const { hostname, port, pathname, search } = new URL(incoming.url ?? '');
      const { method, headers } = incoming;
      incoming.pipe(
        passOn({ hostname, port, path: pathname + search, method, headers }, (reply) => {
          response.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(response);
        }),
      );
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const run = await runScenario({
        tracing: wire,
        rules: [when.lastUserText('hi').reply(answer(text('Hello.'), { usage: usage(1200, 42) }))],
        play: async ({ ask, options, api }) => {
          const { port } = proxy.address() as AddressInfo;
          const env = {
            ...options().env,
            [name]: `http://${credentials}@127.0.0.1:${port}`,
            ANTHROPIC_BASE_URL: api.url,
          };
          await ask('hi', { env });
        },
      });
      checkTrace(run);
      expect(calls(run)).toMatchObject([{ seenBy: ['cli', 'sdk', 'wire'], usage: { outputTokens: 42 } }]);
      const proof = `Basic ${Buffer.from(credentials).toString('base64')}`;
      expect(asked.filter((line) => line.startsWith('POST'))).toEqual([
        `POST ${run.api.url}/v1/messages?beta=true ${proof}`,
      ]);
      for (const secret of ['proxy-canary', proof]) expect(toldOf(run)).not.toContain(secret);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  },
);

test('credentials are in no span, line or count', async () => {
  const run = await runScenario({
    prompt: 'say hello',
    tracing: wire,
    env: {
      ANTHROPIC_API_KEY: 'sk-ant-canary-0000-4711',
      ANTHROPIC_CUSTOM_HEADERS: 'x-canary: sk-ant-canary-0000-4712',
    },
    rules: [when.lastUserText('say hello').reply(answer(text('Hello.'), { usage: usage(1200, 42) }))],
  });
  checkTrace(run);
  expect(calls(run)[0]?.seenBy).toContain('wire');
  expect(toldOf(run)).not.toContain('canary');
});

function toldOf({ told, stats, diagnostics }: Run): string {
  return JSON.stringify([told, stats, diagnostics], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
