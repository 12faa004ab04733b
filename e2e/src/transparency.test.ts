import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as realSdk from '@anthropic-ai/claude-agent-sdk';
import type { HookCallback, Options, Query, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import type { Sink } from '@spanprism/core';
import { answer, apiError, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { checkTrace } from './check-trace.ts';
import { masked } from './masked.ts';
import { until } from './processes.ts';
import { bash, usage } from './replies.ts';
import { type Drive, runScenario, type Scenario } from './run-scenario.ts';

const oneTool = (command = 'echo hello'): Pick<Scenario, 'prompt' | 'rules'> => ({
  prompt: 'use bash',
  rules: [
    when.toolResult('toolu_1').reply(answer(text('Done.'), { usage: usage(1400, 12) })),
    when
      .lastUserText('use bash')
      .reply(answer([text('Let me check.'), bash('toolu_1', command)], { usage: usage(1200, 55) })),
  ],
});
const hello = { prompt: 'hello', rules: [when.reply(answer(text('Hello.'), { usage: usage(1200, 42) }))] };

/** Everything a program can see of a run. */
async function seen(scenario: Scenario): Promise<object> {
  const { messages, thrown } = await runScenario(scenario);
  return { messages: masked(messages), thrown: String(thrown) };
}

const broken: Sink = {
  name: 'broken',
  spanStart: fail,
  spanEnd: fail,
  turnEnd: fail,
  metrics: fail,
  ambient: fail,
  activate: fail,
  stats: fail,
  flush: async () => undefined,
  close: async () => undefined,
};

function fail(): never {
  throw new Error('broken');
}

test.each<[string, Scenario]>([
  ['a tool', oneTool()],
  ['a tool, with hidden partial messages', { ...oneTool(), tracing: { cliTelemetry: 'off' } }],
  ['a tool, with hooks', { ...oneTool(), tracing: { hooks: true } }],
  [
    'a tool, with a sink and a redactor that always throw',
    { ...oneTool(), tracing: { sinks: [broken], redact: fail, diag: fail } },
  ],
  ['a fatal error', { prompt: 'hello', rules: [when.reply(apiError(400))], env: { CLAUDE_CODE_MAX_RETRIES: '0' } }],
])('the program sees the same with and without tracing: %s', async (_name, scenario) => {
  expect(await seen(scenario)).toEqual(await seen({ ...scenario, tracing: false }));
});

test('messages are the very objects that the SDK hands out', async () => {
  const handedOut: unknown[] = [];
  const spying = {
    ...realSdk,
    query: (parameters: Parameters<typeof realSdk.query>[0]): Query => {
      const real = realSdk.query(parameters);
      return new Proxy(real, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target);
          if (name === Symbol.asyncIterator) return () => spied(target, handedOut);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    },
  };
  const got: unknown[] = [];
  await runScenario({
    ...hello,
    play: async ({ tracing, options }) => {
      const query = tracing!.wrapSdk(spying).query({ prompt: 'hello', options: options() });
      for await (const message of query) got.push(message);
    },
  });
  expect(got.length).toBeGreaterThan(0);
  expect(got.map((message, index) => message === handedOut[index])).toEqual(got.map(() => true));
});

function spied(query: Query, handedOut: unknown[]): AsyncIterator<SDKMessage> {
  return {
    next: async () => {
      const result = await query.next();
      if (result.done !== true) handedOut.push(result.value);
      return result;
    },
  };
}

test('every member of a query exists on the wrapped one and reaches the real one', async () => {
  let members: PropertyKey[] = [];
  await runScenario({
    ...hello,
    tracing: { cliTelemetry: 'off' },
    play: async ({ tracing, options }) => {
      const inner = realSdk.query({ prompt: 'hello', options: options() });
      members = membersOf(inner);
      const { query: real, calls } = noting(inner);
      // With these nothing is hidden, and no message is waited for.
      const shown = { includePartialMessages: true, forwardSubagentText: true };
      const wrapped = tracing!.wrapQuery((_parameters: object) => real);
      const query = wrapped({ prompt: 'hello', options: shown }) as unknown as Record<PropertyKey, Method>;
      const parameters = [{ some: 'thing' }, 2];
      for (const name of members) {
        const expected = typeof Reflect.get(inner, name, inner);
        expect([name, name in query, typeof query[name]]).toEqual([name, true, expected]);
        if (expected !== 'function' || name === 'constructor') continue;
        query[name]?.(...parameters);
        const handed = name === Symbol.asyncIterator ? [] : parameters;
        expect(calls.at(-1)).toEqual({ name, isOnReal: true, handed });
      }
      inner.close();
    },
  });
  const known = ['next', 'return', 'throw', 'interrupt', 'setModel', 'close', 'streamInput'];
  expect(members).toEqual(expect.arrayContaining([...known, Symbol.asyncIterator, Symbol.asyncDispose]));
  expect(members.length).toBeGreaterThan(35);
});

type Method = (...handed: unknown[]) => unknown;

/** The query with members that do nothing but note how they were called. */
function noting(inner: Query) {
  const calls: { readonly name: PropertyKey; readonly isOnReal: boolean; readonly handed: readonly unknown[] }[] = [];
  const query: Query = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return function (this: unknown, ...handed: unknown[]): unknown {
        calls.push({ name, isOnReal: this === query, handed });
        return name === Symbol.asyncIterator ? query : Promise.resolve({ done: true, value: undefined });
      };
    },
  });
  return { query, calls };
}

function membersOf(object: object): PropertyKey[] {
  const names: Set<PropertyKey> = new Set();
  for (
    let from: object | null = object;
    from !== null && from !== Object.prototype;
    from = Object.getPrototypeOf(from)
  ) {
    for (const name of Reflect.ownKeys(from)) names.add(name);
  }
  return [...names];
}

test('members of the wrapped query do what they do on the real one', async () => {
  const told: unknown[] = [];
  await runScenario({
    ...hello,
    drive: async (query, { keep }) => {
      const initialized = await query.initializationResult();
      told.push(initialized.commands.length > 0, (await query.supportedModels()).length > 0);
      await query.setPermissionMode('acceptEdits');
      told.push(await query.mcpServerStatus(), typeof (await query.accountInfo()));
      for await (const message of query) keep(message);
    },
  });
  expect(told).toEqual([true, true, [], 'object']);
});

test('frozen parameters, options, environment and hooks pass and stay as they are', async () => {
  const calls: string[] = [];
  const hook: HookCallback = async (input) => {
    calls.push(input.hook_event_name);
    return {};
  };
  const run = await runScenario({
    ...oneTool(),
    tracing: { hooks: true },
    play: async ({ sdk, options }) => {
      const hooks = { PreToolUse: [{ hooks: [hook] }], PostToolUse: [{ hooks: [hook] }] };
      const given = deepFreeze(options({ hooks } as Options));
      const before = structuredClone({ ...given, hooks: undefined });
      for await (const _ of sdk.query(Object.freeze({ prompt: 'use bash', options: given }))) continue;
      expect({ ...given, hooks: undefined }).toEqual(before);
      expect(given.hooks).toEqual({ PreToolUse: [{ hooks: [hook] }], PostToolUse: [{ hooks: [hook] }] });
    },
  });
  expect(calls).toEqual(['PreToolUse', 'PostToolUse']);
  checkTrace(run);
  expect(run.spans.find((span) => span.kind === 'tool')?.seenBy).toContain('hooks');
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).map(deepFreeze);
  return Object.freeze(value);
}

test('wrapping twice traces once', async () => {
  const run = await runScenario({
    ...hello,
    play: async ({ tracing, sdk, options }) => {
      const twice = tracing!.wrapQuery(tracing!.wrapSdk(sdk).query);
      for await (const _ of twice({ prompt: 'hello', options: options() })) continue;
    },
  });
  checkTrace(run);
  expect(run.stats?.queries).toEqual({ open: 0, settled: 1 });
});

const firstMessage = async (query: Query): Promise<void> => {
  await query.next();
};

test.each<[string, Drive]>([
  [
    'for await',
    async (query) => {
      for await (const _ of query) continue;
    },
  ],
  [
    'next()',
    async (query) => {
      for (let done: boolean | undefined; done !== true; ) done = (await query.next()).done;
    },
  ],
  [
    'return()',
    async (query) => {
      await firstMessage(query);
      await query.return();
    },
  ],
  [
    'return() while a next() is pending',
    async (query) => {
      const pending = query.next();
      await query.return();
      await pending;
    },
  ],
  [
    'throw()',
    async (query) => {
      await firstMessage(query);
      await query.throw(new Error('mine')).catch(() => undefined);
    },
  ],
  [
    'interrupt() and reading on',
    async (query) => {
      await firstMessage(query);
      await query.interrupt();
      for await (const _ of query) continue;
    },
  ],
  [
    'close()',
    async (query) => {
      await firstMessage(query);
      query.close();
    },
  ],
  [
    'close() before anything was read',
    async (query) => {
      query.close();
    },
  ],
  [
    'Symbol.asyncDispose',
    async (query) => {
      await firstMessage(query);
      await query[Symbol.asyncDispose]();
    },
  ],
  [
    'all of them, one after the other',
    async (query) => {
      await firstMessage(query);
      await query.return();
      query.close();
      await query[Symbol.asyncDispose]();
      await query.next();
    },
  ],
])('%s settles the trace once', async (_name, drive) => {
  const run = await runScenario({ ...hello, drive });
  expect(run.diagnostics).toEqual([]);
  expect(run.stats?.queries).toEqual({ open: 0, settled: 1 });
  expect(run.told.filter(({ what }) => what === 'turnEnd')).toHaveLength(1);
  const turns = run.spans.filter((span) => span.kind === 'agent');
  expect(turns).toHaveLength(1);
  expect(run.told.filter((event) => event.what === 'start' && event.span.kind === 'agent')).toHaveLength(1);
});

test.each<[string, Options['hooks']]>([
  ['without hooks', undefined],
  ['with hooks of the user', { PreToolUse: [{ hooks: [async () => ({})] }] }],
])('what a pending tool does after the consumer has left is the same: %s', async (_name, hooks) => {
  const toolRan = async (tracing: Scenario['tracing']): Promise<{ ran: boolean; calls: number }> => {
    let ran = false;
    const run = await runScenario({
      ...oneTool('touch made.txt'),
      ...(tracing === undefined ? {} : { tracing }),
      ...(hooks === undefined ? {} : { options: { hooks } }),
      drive: async (query, { stage, keep }) => {
        for await (const message of query) {
          keep(message);
          if (message.type === 'assistant') break;
        }
        // The CLI goes on for the SDK's grace and asks once more, whatever became of the tool.
        await until(() => stage.api.calls().length === 2, 'the second call');
        ran = existsSync(join(stage.project.cwd, 'made.txt'));
      },
    });
    return { ran, calls: run.calls.length };
  };
  const untraced = await toolRan(false);
  expect(await toolRan(undefined)).toEqual(untraced);
  expect(untraced.ran).toBe(hooks === undefined);
});
