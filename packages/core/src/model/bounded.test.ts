import { describe, expect, test } from 'vitest';
import { OpenMap, RecentFlags } from './bounded.ts';

describe('RecentFlags', () => {
  test('a flag is new once for each string', () => {
    const flags = new RecentFlags(2);
    expect([flags.add('a', 1), flags.add('a', 2), flags.add('a', 1), flags.add('b', 1)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  test('remembers the last strings and forgets those before', () => {
    const flags = new RecentFlags(2);
    for (const value of ['a', 'b', 'c', 'd', 'e']) flags.add(value, 1);
    expect(['e', 'd', 'c'].map((value) => flags.add(value, 1))).toEqual([false, false, false]);
    expect(flags.add('a', 1)).toBe(true);
  });
});

describe('OpenMap', () => {
  const numbers = (): OpenMap<number | string> => new OpenMap<number | string>(2, (value) => typeof value === 'number');

  test('what is open stays, however much ends after it', () => {
    const map = numbers();
    map.set('open', 1);
    for (let index = 0; index < 100; index++) map.set(`ended-${index}`, 'ended');
    expect(map.get('open')).toBe(1);
    expect(map.open()).toEqual([1]);
    expect([map.get('ended-0'), map.get('ended-99')]).toEqual([undefined, 'ended']);
  });

  test('what has ended is not open by an older entry', () => {
    const map = numbers();
    map.set('a', 1);
    for (const name of ['b', 'c']) map.set(name, 'ended');
    map.set('a', 'ended');
    expect(map.open()).toEqual([]);
    for (const name of ['d', 'e']) map.set(name, 'ended');
    expect(map.get('a')).toBe('ended');
  });

  test('takes out what is open, and by name', () => {
    const map = numbers();
    map.set('a', 1);
    for (const name of ['b', 'c']) map.set(name, 'ended');
    map.set('d', 2);
    map.delete('b');
    map.deleteOpen();
    expect(['a', 'b', 'c', 'd'].map((name) => map.get(name))).toEqual([undefined, undefined, 'ended', undefined]);
  });
});
