import { describe, expect, test } from 'vitest';
import { standIn, withAdditions } from './stand-in.ts';

class Account {
  #balance = 1;
  name = 'own';
  get balance(): number {
    return this.#balance;
  }
  set balance(value: number) {
    this.#balance = value;
  }
}

describe('a stand-in', () => {
  test('answers for the members that it is told of and is the original in all else', () => {
    const account = new Account();
    const stand = standIn(account, (name) => (name === 'name' ? { value: 'other' } : undefined));
    expect(stand.name).toBe('other');
    expect(account.name).toBe('own');
    expect(stand.balance).toBe(1);
    expect(stand).toBeInstanceOf(Account);
    expect(stand.constructor).toBe(Account);
    expect('balance' in stand).toBe(true);
    expect('nothing' in stand).toBe(false);
  });

  test('writes to the original, through setters with private fields too', () => {
    const account = new Account();
    const stand = standIn(account, () => undefined);
    stand.balance = 5;
    stand.name = 'new';
    Reflect.set(stand, 'added', 1);
    expect(account).toMatchObject({ balance: 5, name: 'new', added: 1 });
    Reflect.deleteProperty(stand, 'added');
    expect(account).not.toHaveProperty('added');
  });

  test('sees what the original becomes', () => {
    const original = { a: 1 };
    const stand = standIn(original, () => undefined);
    original.a = 2;
    expect(stand.a).toBe(2);
  });

  test('of a frozen object may answer for its members and still shows them all', () => {
    const frozen = Object.freeze({ a: 1, b: 2 });
    const stand = standIn(frozen, (name) => (name === 'a' ? { value: 'ours' } : undefined));
    expect(stand.a).toBe('ours');
    expect({ ...stand }).toEqual({ a: 'ours', b: 2 });
    expect(Object.keys(stand)).toEqual(['a', 'b']);
    expect(() => {
      (stand as { b: number }).b = 3;
    }).toThrow(TypeError);
  });
});

describe('a copy with additions', () => {
  test('of a plain object is a plain object, and the original is not touched', () => {
    const original = Object.freeze({ a: 1, b: 2 });
    const copy = withAdditions(original, { b: 3, c: 4 });
    expect(copy).toEqual({ a: 1, b: 3, c: 4 });
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(original).toEqual({ a: 1, b: 2 });
  });

  test('of nothing is the additions', () => {
    expect(withAdditions(undefined, { a: 1 })).toEqual({ a: 1 });
  });

  test('keeps symbols', () => {
    const key = Symbol('key');
    expect(Reflect.get(withAdditions({ [key]: 1 }, {}), key)).toBe(1);
  });

  test('keeps what is inherited', () => {
    const options = Object.assign(Object.create({ model: 'opus', cwd: '/x' }) as object, { maxTurns: 3 });
    const copy = withAdditions(options, { env: {} });
    expect(Reflect.get(copy, 'model')).toBe('opus');
    expect('cwd' in copy).toBe(true);
    expect({ ...copy }).toEqual({ maxTurns: 3, env: {} });
  });

  test('of an instance keeps its class, its accessors and its private fields', () => {
    const account = new Account();
    const copy = withAdditions(account, { env: 'ours', name: 'ours' }) as Account & { env: string };
    expect(copy).toBeInstanceOf(Account);
    expect(copy.balance).toBe(1);
    expect(copy.env).toBe('ours');
    expect(copy.name).toBe('ours');
    expect(Object.keys(copy)).toEqual(['name', 'env']);
    expect(account).not.toHaveProperty('env');
    expect(account.name).toBe('own');
  });

  test('of a frozen instance takes additions all the same', () => {
    const copy = withAdditions(Object.freeze(new Account()), { env: 1, name: 2 });
    expect({ ...copy }).toEqual({ name: 2, env: 1 });
  });
});
