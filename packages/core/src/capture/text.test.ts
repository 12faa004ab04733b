import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { CaptureOptions } from '../model/capture-options.ts';
import { decodeOtlp } from '../otlp/decode/decode-otlp.ts';
import { encodeLogs } from '../otlp/encode/protobuf.ts';
import { resolveCapture } from './policy.ts';
import { contentBytes, TextCleaner } from './text.ts';

const CANARY = 'c4nary';

const cleaner = (options: CaptureOptions = 'full'): TextCleaner =>
  new TextCleaner(resolveCapture(options, { environment: {} }));

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
    Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** As an attribute may hold it that was not made of JSON. */
function decodedMap(): unknown {
  const records = [{ at: 1n, attributes: { map: { list: [{ of: 'maps' }] } } }];
  const body = encodeLogs([{ resource: {}, scope: { name: '' }, records }]);
  const [group] = decodeOtlp('logs', 'protobuf', body).groups;
  return group?.records[0] && 'attributes' in group.records[0] ? group.records[0].attributes['map'] : undefined;
}

describe('truncation', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    ['aä', 2, 'a'],
    ['aä', 3, 'aä'],
    ['€€', 3, '€'],
    ['€€', 5, '€'],
    ['a😀b', 4, 'a'],
    ['a😀b', 5, 'a😀'],
    ['😀'.repeat(3), 11, '😀😀'],
    ['abcde', 0, ''],
    ['\ud800', 3, '\ufffd'],
    ['\ud800', 2, ''],
    ['x\udc00y', 100, 'x\ufffdy'],
  ])('of %j to %i bytes leaves whole characters', (text, maxTextBytes, expected) => {
    expect(cleaner({ maxTextBytes }).text(text)).toBe(expected);
  });
});

describe('values that are no JSON', () => {
  const cyclic: Record<string, unknown> = { name: 'loop' };
  cyclic['left'] = cyclic;
  cyclic['right'] = cyclic;
  const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 'deep');
  const shared = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], 'x');
  const hostile = {
    get bad(): string {
      throw new Error(CANARY);
    },
    good: 'kept',
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const odd = '[unserialisable]';

  test.each<[string, unknown, unknown]>([
    ['a cycle', cyclic, { name: 'loop', left: odd, right: odd }],
    ['a big integer', { n: 12345678901234567890n }, { n: '12345678901234567890' }],
    ['a date', [new Date(0), new Date(Number.NaN)], ['1970-01-01T00:00:00.000Z', odd]],
    ['a number that JSON lacks', [Number.NaN, Number.POSITIVE_INFINITY], ['NaN', 'Infinity']],
    ['a map, a function, a symbol', [new Map([['a', CANARY]]), () => CANARY, Symbol(CANARY)], [odd, odd, odd]],
    ['a getter that throws', hostile, { bad: odd, good: 'kept' }],
    ['a revoked proxy', { proxy }, { proxy: odd }],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error(CANARY);
        },
      },
      { toJSON: odd },
    ],
    ['a map of a decoded export', decodedMap(), { list: [{ of: 'maps' }] }],
    ['an object of another realm', runInNewContext('({ a: { b: 1 } })'), { a: { b: 1 } }],
    ['an instance of a class', { url: new URL('http://127.0.0.1'), map: new Map([[1, 2]]) }, { url: odd, map: odd }],
    [
      'a __proto__ of its own',
      JSON.parse('{"__proto__": {"polluted": 1}}'),
      JSON.parse('{"__proto__": {"polluted": 1}}'),
    ],
  ])('%s becomes what JSON can hold', (_, input, expected) => {
    const cleaned = cleaner().json(input);
    expect(cleaned).toEqual(expected);
    expect(() => JSON.stringify(cleaned)).not.toThrow();
    expect(contentBytes(input)).toBeGreaterThanOrEqual(0);
  });

  test('depth and shared references end somewhere', () => {
    expect(JSON.stringify(cleaner().json(deep))).toContain(odd);
    const shortened = cleaner();
    shortened.json(shared);
    expect(shortened.wasTruncated).toBe(true);
    expect(contentBytes(shared)).toBeGreaterThan(0);
  });
});

/** Mulberry32: the same spans in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test('whatever a tool is given becomes JSON within the limits, and the original stays as it is', () => {
  const next = random(20_261_121);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const text = (): string =>
    Array.from({ length: Math.floor(next() * 12) }, () => pick(['a', 'é', '€', '😀', '\ud83d', '\n', '"'])).join('');
  const value = (depth: number): unknown => {
    if (depth > 5 || next() < 0.4) return pick([text(), text(), next() * 1e6, true, null, undefined, 5n, CANARY]);
    const items = Array.from({ length: Math.floor(next() * 5) }, () => value(depth + 1));
    return next() < 0.5 ? items : Object.fromEntries(items.map((item) => [text(), item]));
  };
  for (let round = 0; round < 500; round += 1) {
    const texts: string[] = [];
    const cleaned = cleaner({ maxTextBytes: 8, redact: (one) => one.replaceAll(CANARY, '') }).json(frozen(value(0)));
    const written = JSON.stringify([cleaned], (_, item: unknown) => {
      if (typeof item === 'string') texts.push(item);
      return item;
    });
    expect(written).not.toMatch(/\\ud[89a-f]|c4nary/i);
    for (const one of texts) expect(Buffer.byteLength(one)).toBeLessThanOrEqual(8);
  }
});
