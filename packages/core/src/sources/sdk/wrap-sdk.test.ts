import { describe, expect, test } from 'vitest';
import { countingGuard, type NotedWatch, notedWatch } from './__fixtures__/noted-watch.ts';
import type { Fields } from './guards.ts';
import { type HandledCall, wrapSdkNamespace } from './wrap-sdk.ts';

async function* messages(...values: unknown[]): AsyncGenerator<unknown> {
  yield* values;
}

function wrapped<S extends object>(sdk: S) {
  const watches: NotedWatch[] = [];
  const handled: HandledCall[] = [];
  const { guard, caught } = countingGuard();
  const namespace = wrapSdkNamespace(sdk, {
    begin: (options) => {
      const watch = notedWatch({ ...options, env: 'ours' });
      watches.push(watch);
      return watch;
    },
    guard,
    runHandler: (call, run) => {
      handled.push(call);
      return run();
    },
  });
  return { namespace, watches, handled, caught };
}

describe('a wrapped SDK', () => {
  test('passes on everything that it does not watch', () => {
    const tool = (): string => 'tool';
    const sdk = { query: () => messages(), tool, version: '1' };
    const { namespace } = wrapped(sdk);
    expect(namespace.tool).toBe(tool);
    expect(Object.keys(namespace)).toEqual(['query', 'tool', 'version']);
    sdk.version = '2';
    expect(namespace.version).toBe('2');
  });

  test('may be an instance whose query() stands on its prototype', async () => {
    class Sdk {
      readonly #inner = messages('a');
      query(given: object): AsyncGenerator<unknown> {
        expect(given).toBeTypeOf('object');
        return this.#inner;
      }
      tool(): string {
        return 'tool';
      }
    }
    const { namespace, watches } = wrapped(new Sdk());
    for await (const _ of namespace.query({ prompt: 'hi' }));
    expect(namespace.tool()).toBe('tool');
    expect(namespace).toBeInstanceOf(Sdk);
    expect(watches[0]?.told).toEqual([
      ['given', 'hi'],
      ['message', 'a'],
      ['ended', 'done'],
    ]);
  });

  test('may be frozen, as module namespaces are', () => {
    const { namespace, watches } = wrapped(
      Object.freeze({ query: (given: { readonly prompt: string }) => messages(given.prompt) }),
    );
    namespace.query({ prompt: 'hi' });
    expect(watches).toHaveLength(1);
  });

  test('is not wrapped twice', () => {
    const { namespace } = wrapped({ query: () => messages() });
    expect(wrapped(namespace).namespace).toBe(namespace);
  });
});

describe.each([
  ['startup', 'query', (prompt: unknown) => prompt],
  ['prewarm', 'claim', (prompt: unknown) => ({ prompt, options: { model: 'opus' } })],
] as const)('%s()', (start, claim, parameter) => {
  type Warm = Record<string, (given?: unknown) => unknown>;
  type Sdk = Record<string, (given?: object) => Promise<Warm>>;

  function setUp(warm: object) {
    const given: unknown[] = [];
    const claimed: unknown[] = [];
    const real = {
      ...warm,
      [claim]: (word: unknown) => {
        claimed.push(word);
        return messages('a');
      },
    };
    const sdk: Sdk = {
      [start]: async (options) => {
        given.push(options);
        return real as Warm;
      },
    };
    return { ...wrapped(sdk), given, claimed };
  }

  test('spawns a child with the watch’s environment, and its query is watched', async () => {
    const { namespace, watches, given, claimed } = setUp({});
    const warm = await namespace[start]?.({ options: { cwd: '/x' } });
    expect(given).toEqual([{ options: { cwd: '/x', env: 'ours' } }]);
    expect(watches[0]?.told).toEqual([['parked']]);
    const query = warm?.[claim]?.(parameter('hi'));
    for await (const _ of query as AsyncIterable<unknown>);
    expect(claimed).toEqual([parameter('hi')]);
    expect(watches[0]?.told).toEqual([['parked'], ['claimed'], ['given', 'hi'], ['message', 'a'], ['ended', 'done']]);
  });

  test('overhears a stream of prompts', async () => {
    const { namespace, watches, claimed } = setUp({});
    const warm = await namespace[start]?.({});
    warm?.[claim]?.(parameter(messages('p')));
    const [word] = claimed as [{ readonly prompt: AsyncIterable<unknown> } & AsyncIterable<unknown>];
    for await (const _ of claim === 'claim' ? word.prompt : word);
    expect(watches[0]?.told).toEqual([['parked'], ['claimed'], ['taken', 'p'], ['prompts over']]);
  });

  test('that is closed unused has ended; used, its query alone can end', async () => {
    const closed: string[] = [];
    const unused = setUp({ close: () => closed.push('unused') });
    (await unused.namespace[start]?.({}))?.['close']?.();
    expect(unused.watches[0]?.told).toEqual([['parked'], ['ended', 'close']]);
    const used = setUp({ close: () => closed.push('used') });
    const warm = await used.namespace[start]?.({});
    warm?.[claim]?.(parameter('hi'));
    warm?.['close']?.();
    expect(used.watches[0]?.told).toEqual([['parked'], ['claimed'], ['given', 'hi']]);
    expect(closed).toEqual(['unused', 'used']);
  });

  test('keeps the class and private fields of what is started', async () => {
    class Spare {
      #ready = true;
      isReady(): boolean {
        return this.#ready;
      }
    }
    const spare = new Spare();
    const { namespace } = wrapped({ [start]: async () => spare } as unknown as Sdk);
    const warm = (await namespace[start]?.({})) as unknown as Spare;
    expect(warm.isReady()).toBe(true);
    expect(warm).toBeInstanceOf(Spare);
    expect(warm.constructor).toBe(Spare);
  });

  test('that fails rejects with the same error, and its watch has ended', async () => {
    const error = new Error('no binary');
    const { namespace, watches } = wrapped({ [start]: async () => Promise.reject(error) } as Sdk);
    await expect(namespace[start]?.({})).rejects.toBe(error);
    expect(watches[0]?.told).toEqual([['parked'], ['ended', 'error', { type: 'Error', message: 'no binary' }]]);
  });

  test('that refuses a claim can be claimed again, and that query is watched', async () => {
    let refusals = 1;
    const refused = new Error('not in this folder');
    const sdk: Sdk = {
      [start]: async () => ({
        [claim]: () => {
          if (refusals-- > 0) throw refused;
          return messages('a');
        },
      }),
    };
    const { namespace, watches } = wrapped(sdk);
    const warm = await namespace[start]?.({});
    expect(() => warm?.[claim]?.(parameter('no'))).toThrow(refused);
    const query = warm?.[claim]?.(parameter('yes')) as AsyncIterable<unknown>;
    for await (const _ of query);
    expect(watches[0]?.told).toEqual([['parked'], ['claimed'], ['given', 'yes'], ['message', 'a'], ['ended', 'done']]);
  });

  test('that refuses a second claim goes on telling of the first', async () => {
    let claims = 0;
    const sdk: Sdk = {
      [start]: async () => ({
        [claim]: () => {
          if (claims++ > 0) throw new Error('taken');
          return messages('a');
        },
      }),
    };
    const { namespace, watches } = wrapped(sdk);
    const warm = await namespace[start]?.({});
    const query = warm?.[claim]?.(parameter('hi')) as AsyncIterable<unknown>;
    expect(() => warm?.[claim]?.(parameter('again'))).toThrow('taken');
    for await (const _ of query);
    expect(watches[0]?.told).toEqual([['parked'], ['claimed'], ['given', 'hi'], ['message', 'a'], ['ended', 'done']]);
  });
});

describe('tools of an in-process server', () => {
  interface Tool {
    readonly name: string;
    readonly handler: (input: unknown, extra?: unknown) => unknown;
  }
  const extra = { _meta: { 'claudecode/toolUseId': 'toolu_1' } };

  function created(tools: readonly unknown[]) {
    const instance = { connect: () => undefined };
    let made: readonly Tool[] = [];
    const sdk = {
      createSdkMcpServer: (given: Fields) => {
        made = given['tools'] as Tool[];
        return { type: 'sdk', name: given['name'], instance };
      },
    };
    const { namespace, handled, caught } = wrapped(sdk);
    const server = namespace.createSdkMcpServer(
      Object.freeze({ name: 'files', tools: Object.freeze(tools) }) as Fields,
    );
    return { server, tools: () => made, handled, caught, instance };
  }

  test('run as handlers of their call, told by its id, the tool’s full name and the server', async () => {
    const { tools, handled, instance } = created([
      { name: 'read', description: 'd', handler: async (input: unknown) => ({ echo: input }) },
    ]);
    expect(tools()[0]).toMatchObject({ name: 'read', description: 'd' });
    expect(await tools()[0]?.handler({ path: 'a' }, extra)).toEqual({ echo: { path: 'a' } });
    expect(handled).toEqual([{ toolCallId: 'toolu_1', toolName: 'mcp__files__read', server: instance }]);
    expect(handled[0]?.server).toBe(instance);
  });

  test.each([[undefined], [{}], [{ _meta: {} }], [{ _meta: { 'claudecode/toolUseId': 5 } }], ['text']])(
    'called with %o, which names no call, just run',
    (handed) => {
      const { tools, handled } = created([{ name: 'read', handler: () => 1 }]);
      expect(tools()[0]?.handler({}, handed)).toBe(1);
      expect(handled).toEqual([]);
    },
  );

  test('may be instances with private fields', async () => {
    class Counter {
      readonly name = 'count';
      #count = 7;
      get description(): string {
        return 'counts';
      }
      async handler(): Promise<number> {
        return this.#count;
      }
    }
    const { tools } = created([new Counter()]);
    const [tool] = tools();
    expect(tool).toBeInstanceOf(Counter);
    expect(Reflect.get(tool as object, 'description')).toBe('counts');
    expect(await tool?.handler({})).toBe(7);
  });

  test('keep what they throw', () => {
    const error = new Error('mine');
    const { tools } = created([
      {
        name: 'fail',
        handler: () => {
          throw error;
        },
      },
    ]);
    expect(() => tools()[0]?.handler({}, extra)).toThrow(error);
  });

  test('that are none are passed on as they are', () => {
    const odd = { name: 'odd' };
    const { tools, caught } = created([odd, undefined, 5]);
    expect(tools()).toEqual([odd, undefined, 5]);
    expect(tools()[0]).toBe(odd);
    expect(caught).toEqual([]);
  });
});
