import { describe, expect, test } from 'vitest';
import { countingGuard, type NotedWatch, notedWatch } from './__fixtures__/noted-watch.ts';
import type { Fields } from './guards.ts';
import { type QueryFunction, wrapQueryFunction } from './wrap-query.ts';

interface Given {
  readonly prompt: unknown;
  readonly options?: Fields;
}

async function* messages(...values: unknown[]): AsyncGenerator<unknown> {
  yield* values;
}

function wrapped(query: (given: Given, ...rest: unknown[]) => unknown, additions: object = { env: 'ours' }) {
  const begun: { readonly options: Fields | undefined; readonly watch: NotedWatch }[] = [];
  const { guard, caught } = countingGuard();
  const wrap = wrapQueryFunction(
    query as unknown as QueryFunction,
    (options) => {
      const watch = notedWatch({ ...options, ...additions });
      begun.push({ options, watch });
      return watch;
    },
    guard,
  ) as unknown as (...parameters: unknown[]) => AsyncGenerator<unknown>;
  return { wrap, begun, caught, told: () => begun.map(({ watch }) => watch.told) };
}

describe('a wrapped query function', () => {
  test('is called with the user’s parameters and the watch’s options', () => {
    const seen: unknown[] = [];
    const { wrap, begun } = wrapped((...parameters) => {
      seen.push(...parameters);
      return messages();
    });
    const given = Object.freeze({ prompt: 'hi', options: Object.freeze({ model: 'opus' }), extra: 1 });
    wrap(given, 'second');
    expect(seen).toEqual([{ prompt: 'hi', options: { model: 'opus', env: 'ours' }, extra: 1 }, 'second']);
    expect(begun[0]?.options).toBe(given.options);
    expect(begun[0]?.watch.told).toEqual([['given', 'hi']]);
  });

  test('keeps the name, the members and the `this` of the real one', () => {
    const query = Object.assign(
      function query(this: unknown) {
        return Object.assign(messages(), { self: this });
      },
      { version: '1' },
    );
    const { wrap } = wrapped(query);
    expect(wrap.name).toBe('query');
    expect(Reflect.get(wrap, 'version')).toBe('1');
    const self = {};
    expect(Reflect.get(Reflect.apply(wrap, self, [{ prompt: 'hi' }]), 'self')).toBe(self);
  });

  test('is not wrapped twice', () => {
    const { wrap } = wrapped(() => messages());
    const again = wrapQueryFunction(wrap, () => notedWatch(undefined), countingGuard().guard);
    expect(again).toBe(wrap);
  });

  test('takes parameters with accessors', () => {
    class Parameters {
      readonly options: Fields = {};
      get prompt(): string {
        return 'hi';
      }
      get extra(): number {
        return 1;
      }
    }
    let seen: unknown;
    const { wrap } = wrapped((given) => {
      seen = given;
      return messages();
    });
    wrap(new Parameters());
    expect([Reflect.get(seen as object, 'prompt'), Reflect.get(seen as object, 'extra')]).toEqual(['hi', 1]);
    expect(seen).toBeInstanceOf(Parameters);
  });

  test('that throws throws the same, and its watch has ended', () => {
    const error = new Error('no binary');
    const { wrap, told } = wrapped(() => {
      throw error;
    });
    expect(() => wrap({ prompt: 'hi' })).toThrow(error);
    expect(told()).toEqual([
      [
        ['given', 'hi'],
        ['ended', 'error', { type: 'Error', message: 'no binary' }],
      ],
    ]);
  });

  test('may be asynchronous: its query is watched when it is there', async () => {
    const { wrap, told } = wrapped(async () => messages('a'));
    const query = await (wrap({ prompt: 'hi' }) as unknown as Promise<AsyncGenerator<unknown>>);
    for await (const _ of query);
    expect(told()).toEqual([
      [
        ['given', 'hi'],
        ['message', 'a'],
        ['ended', 'done'],
      ],
    ]);
  });

  test.each([undefined, null, 5, 'text', {}, []])('that answers with %o, which is no query, has ended', (answer) => {
    const { wrap, told } = wrapped(() => answer);
    expect(wrap({ prompt: 'hi' })).toBe(answer);
    expect(told()).toEqual([
      [
        ['given', 'hi'],
        ['ended', 'error'],
      ],
    ]);
  });

  test('that answers with a promise of no query has ended too', async () => {
    const { wrap, told } = wrapped(async () => 5);
    expect(await (wrap({ prompt: 'hi' }) as unknown as Promise<number>)).toBe(5);
    expect(told()).toEqual([
      [
        ['given', 'hi'],
        ['ended', 'error'],
      ],
    ]);
  });

  test.each([[[]], [['text']], [[undefined]]])('called with %o is the real one', (parameters) => {
    let seen: unknown[] = [];
    const { wrap, begun } = wrapped((...given) => {
      seen = given;
      return messages();
    });
    wrap(...parameters);
    expect(seen).toEqual(parameters);
    expect(begun).toEqual([]);
  });

  test('is the real one when nobody watches', () => {
    let seen: unknown;
    const real = messages();
    const query = ((given: unknown) => {
      seen = given;
      return real;
    }) as unknown as QueryFunction;
    const wrap = wrapQueryFunction(query, () => undefined, countingGuard().guard) as unknown as (
      given: object,
    ) => unknown;
    const given = { prompt: 'hi' };
    expect(wrap(given)).toBe(real);
    expect(seen).toBe(given);
  });

  test('overhears a stream of prompts as the query takes them, not before', async () => {
    const taken: unknown[] = [];
    const { wrap, begun } = wrapped(async function* ({ prompt }) {
      for await (const one of prompt as AsyncIterable<unknown>) {
        taken.push(one);
        yield one;
      }
    });
    const prompts = [
      { type: 'user', n: 1 },
      { type: 'user', n: 2 },
    ];
    const query = wrap({ prompt: messages(...prompts) });
    expect(begun[0]?.watch.told).toEqual([]);
    for await (const _ of query);
    expect(taken[0]).toBe(prompts[0]);
    expect(begun[0]?.watch.told.map(([what]) => what)).toEqual([
      'taken',
      'message',
      'taken',
      'message',
      'prompts over',
      'ended',
    ]);
  });

  test('leaves the user’s stream of prompts when the query does', async () => {
    let wasLeft = false;
    const prompts = (async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        wasLeft = true;
      }
    })();
    const { wrap } = wrapped(async function* ({ prompt }) {
      for await (const first of prompt as AsyncIterable<unknown>) {
        yield first;
        break;
      }
    });
    for await (const _ of wrap({ prompt: prompts }));
    expect(wasLeft).toBe(true);
  });
});
