import { describe, expect, test } from 'vitest';
import { countingGuard, type NotedWatch, notedWatch } from './__fixtures__/noted-watch.ts';
import { watchQuery } from './watched-query.ts';

type Loose = AsyncIterableIterator<unknown> & Record<string, never>;

function watched<Q extends object>(query: Q, isHidden?: (message: unknown) => boolean): { q: Q; watch: NotedWatch } {
  const watch = notedWatch(undefined, isHidden);
  return {
    q: watchQuery(query as unknown as AsyncIterable<unknown>, watch, countingGuard().guard) as unknown as Q,
    watch,
  };
}

async function* messages(...values: unknown[]): AsyncGenerator<unknown> {
  yield* values;
}

const isHiddenText = (message: unknown): boolean => typeof message === 'string' && message.startsWith('hidden');

/** Both ways of pulling: nothing is held back, and something may be. */
const modes = [
  ['shown', undefined],
  ['hidden', isHiddenText],
] as const;

describe('a watched query', () => {
  test('hands out the very same messages and tells of each and of the end', async () => {
    const [a, b] = [{ type: 'a' }, { type: 'b' }];
    const { q, watch } = watched(messages(a, b));
    const read: unknown[] = [];
    for await (const message of q) read.push(message);
    expect(read[0]).toBe(a);
    expect(read[1]).toBe(b);
    expect(watch.told).toEqual([
      ['message', a],
      ['message', b],
      ['ended', 'done'],
    ]);
  });

  test('may be frozen', async () => {
    const frozen = Object.freeze({
      next: async () => ({ done: true, value: 1 }),
      [Symbol.asyncIterator]() {
        return this;
      },
    });
    const { q, watch } = watched(frozen);
    expect(await q.next()).toEqual({ done: true, value: 1 });
    expect(watch.told).toEqual([['ended', 'done']]);
  });

  class PrivateQuery {
    #volume = 1;
    readonly #inner = messages({ type: 'a' });
    get volume(): number {
      return this.#volume;
    }
    set volume(value: number) {
      this.#volume = value;
    }
    next(): Promise<IteratorResult<unknown>> {
      return this.#inner.next();
    }
    setModel(model: string): string {
      return `${model} at ${this.#volume}`;
    }
    [Symbol.asyncIterator](): this {
      return this;
    }
  }

  test('may be an instance with private fields, read and set and called', async () => {
    const real = new PrivateQuery();
    const { q } = watched(real);
    q.volume = 5;
    expect(q.volume).toBe(5);
    expect(real.volume).toBe(5);
    expect(q.setModel('opus')).toBe('opus at 5');
    expect(await q.next()).toEqual({ done: false, value: { type: 'a' } });
    expect(q).toBeInstanceOf(PrivateQuery);
    expect(q.constructor).toBe(PrivateQuery);
    expect(q[Symbol.asyncIterator]()).toBe(q);
  });

  test('keeps what its members carry, and gives the same member each time', () => {
    const spy = Object.assign(() => 1, { calls: ['x'] });
    const { q } = watched({ spy, ...{ [Symbol.asyncIterator]: () => messages() } });
    expect(q.spy.calls).toEqual(['x']);
    expect(q.spy()).toBe(1);
    expect(q.spy).toBe(q.spy);
  });

  test('takes a member that the user puts there after it was read', () => {
    const { q } = watched({ greet: (): string => 'theirs', [Symbol.asyncIterator]: () => messages() });
    expect(q.greet()).toBe('theirs');
    q.greet = () => 'mine';
    expect(q.greet()).toBe('mine');
  });

  test('takes a member that is another each time it is asked for', () => {
    let count = 0;
    const { q } = watched({
      get counted() {
        count += 1;
        const mine = count;
        return () => mine;
      },
      [Symbol.asyncIterator]: () => messages(),
    });
    expect([q.counted(), q.counted()]).toEqual([1, 2]);
  });

  test('is watched through an iterator of its own too', async () => {
    const { q, watch } = watched({ [Symbol.asyncIterator]: () => messages('a') });
    for await (const _ of q);
    expect(watch.told).toEqual([
      ['message', 'a'],
      ['ended', 'done'],
    ]);
  });

  describe.each(modes)('with messages %s', (_, isHidden) => {
    test('passes the argument of next() on', async () => {
      async function* echo(): AsyncGenerator<unknown> {
        yield yield 1;
      }
      const { q } = watched(echo(), isHidden);
      await q.next();
      expect(await q.next('VALUE')).toEqual({ done: false, value: 'VALUE' });
    });

    test('raises unhandledRejection for a next() that nobody awaits', async () => {
      const failing = { next: async () => Promise.reject(new Error('lost')), [Symbol.asyncIterator]: () => messages() };
      const unhandled = new Promise<unknown>((resolve) => {
        // The runner's own listeners would fail the test.
        const others = process.rawListeners('unhandledRejection') as NodeJS.UnhandledRejectionListener[];
        process.removeAllListeners('unhandledRejection');
        process.once('unhandledRejection', (error) => {
          for (const other of others) process.on('unhandledRejection', other);
          resolve(error);
        });
      });
      void watched(failing, isHidden).q.next();
      expect(await unhandled).toEqual(new Error('lost'));
    });

    test('gives the query’s own error to whoever pulls, and tells of it', async () => {
      const error = new RangeError('boom');
      const failing = { next: async () => Promise.reject(error), [Symbol.asyncIterator]: () => messages() };
      const { q, watch } = watched(failing, isHidden);
      await expect(q.next()).rejects.toBe(error);
      expect(watch.told).toEqual([['ended', 'error', { type: 'RangeError', message: 'boom' }]]);
    });

    test('answers several next() at once in their order', async () => {
      const { q } = watched(messages('hidden 1', 'a', 'hidden 2', 'hidden 3', 'b', 'c'), isHidden);
      const shown = isHidden === undefined ? ['hidden 1', 'a', 'hidden 2'] : ['a', 'b', 'c'];
      const results = await Promise.all([q.next(), q.next(), q.next()]);
      expect(results.map(({ value }) => value as unknown)).toEqual(shown);
    });

    test('tells of every message, shown or not', async () => {
      const { q, watch } = watched(messages('hidden 1', 'a'), isHidden);
      for await (const _message of q);
      expect(watch.told).toEqual([
        ['message', 'hidden 1'],
        ['message', 'a'],
        ['ended', 'done'],
      ]);
    });

    test('goes on after a next() that was rejected', async () => {
      let calls = 0;
      const query = {
        next: async () => {
          calls += 1;
          if (calls === 1) throw new Error('once');
          return { done: false, value: 'a' };
        },
        [Symbol.asyncIterator]: () => messages(),
      };
      const { q } = watched(query, isHidden);
      await expect(q.next()).rejects.toThrow('once');
      expect(await q.next()).toEqual({ done: false, value: 'a' });
    });

    test('goes on after a next() that threw at once', async () => {
      let calls = 0;
      const query = {
        next: () => {
          calls += 1;
          if (calls === 1) throw new Error('once');
          return Promise.resolve({ done: false, value: 'a' });
        },
        [Symbol.asyncIterator]: () => messages(),
      };
      const { q } = watched(query, isHidden);
      expect(() => q.next()).toThrow('once');
      expect(await q.next()).toEqual({ done: false, value: 'a' });
    });

    test('lets nobody overtake who asks while the turn is handed on', async () => {
      const { q } = watched(messages('a', 'b', 'c'), isHidden);
      const read: [string, unknown][] = [];
      const note = (name: string) => (result: IteratorResult<unknown>) => read.push([name, result.value]);
      let third: Promise<unknown> = Promise.resolve();
      const first = q.next().then((result) => {
        note('first')(result);
        third = q.next().then(note('third'));
      });
      const second = q.next().then(note('second'));
      await first;
      await Promise.all([second, third]);
      expect(read).toEqual([
        ['first', 'a'],
        ['second', 'b'],
        ['third', 'c'],
      ]);
    });

    test('may have a next() that answers with a plain value, as `for await` allows', async () => {
      let count = 0;
      const query = {
        next: () => ((count += 1) > 2 ? { done: true, value: undefined } : { done: false, value: count }),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
      const { q } = watched(query as unknown as Loose, isHidden);
      const read: unknown[] = [];
      for await (const message of q) read.push(message);
      expect(read).toEqual([1, 2]);
    });
  });

  test('that shows everything answers a plain value with a plain value', () => {
    const result = { done: true, value: undefined };
    const { q } = watched({ next: () => result, [Symbol.asyncIterator]: () => messages() });
    expect(q.next()).toBe(result);
  });

  test.each([
    ['return', 'return'],
    ['throw', 'throw'],
    ['close', 'close'],
    [Symbol.asyncDispose, 'close'],
  ] as const)('that is left by %s has ended by %s, once', async (door, by) => {
    const passed: unknown[] = [];
    const query = {
      next: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => messages(),
      [door]: async (...words: unknown[]) => passed.push(...words),
    };
    const { q, watch } = watched(query as unknown as Record<PropertyKey, (word?: unknown) => Promise<unknown>>);
    await q[door]?.('word');
    await q['next']?.();
    expect(passed).toEqual(['word']);
    expect(watch.told).toEqual([['ended', by]]);
  });

  test('that is interrupted goes on', async () => {
    const { q, watch } = watched({ interrupt: async () => 'done', [Symbol.asyncIterator]: () => messages('a') });
    expect(await q.interrupt()).toBe('done');
    for await (const _ of q);
    expect(watch.told.map(([what, word]) => `${String(what)} ${String(word)}`)).toEqual([
      'ended interrupt',
      'message a',
      'ended done',
    ]);
  });

  test('overhears what streamInput() is given', async () => {
    const query = {
      streamInput: async (prompts: AsyncIterable<unknown>) => {
        for await (const _ of prompts);
      },
      [Symbol.asyncIterator]: () => messages(),
    };
    const { q, watch } = watched(query);
    await q.streamInput(messages('p1', 'p2'));
    expect(watch.told).toEqual([['taken', 'p1'], ['taken', 'p2'], ['prompts over']]);
  });

  test('is not troubled by a watch that throws', async () => {
    const { guard, caught } = countingGuard();
    const fail = (): never => {
      throw new Error('ours');
    };
    const watch = { ...notedWatch(undefined, fail), message: fail, ended: fail };
    const q = watchQuery(messages('a'), watch, guard);
    const read: unknown[] = [];
    for await (const message of q) read.push(message);
    expect(read).toEqual(['a']);
    expect(caught).toEqual(['message', 'message', 'query end']);
  });
});
