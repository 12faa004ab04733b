import { describe, expect, test } from 'vitest';
import { type Exports, SdkCopies, type Wrap } from './sdk-copies.ts';

const SDK = { query: 'query', tool: 'tool' };
/** Puts its name around `query`. */
const wrap =
  (name: string): Wrap =>
  (sdk) => ({ ...sdk, query: `${name}(${String(Reflect.get(sdk, 'query'))})` });

function loaded(copies: SdkCopies, url = 'file:///sdk.mjs'): { exports: Exports } {
  const shown = { exports: {} };
  copies.loaded(url, SDK, (exports) => {
    shown.exports = exports;
  });
  return shown;
}

const failed = (error: unknown): never => {
  throw error;
};

describe('copies of the SDK', () => {
  test('a copy is shown as it is wrapped, loaded before or after the wrap was added', () => {
    const copies = new SdkCopies(failed);
    const before = loaded(copies, 'file:///a/sdk.mjs');
    copies.add(wrap('traced'));
    const after = loaded(copies, 'file:///b/sdk.mjs');
    expect([before.exports, after.exports]).toEqual([
      { query: 'traced(query)', tool: 'tool' },
      { query: 'traced(query)', tool: 'tool' },
    ]);
  });

  test('a copy that is both imported and required is wrapped once, and both show the same', () => {
    let wraps = 0;
    const copies = new SdkCopies(failed);
    copies.add((sdk) => ({ ...sdk, query: `${++wraps}` }));
    const [imported, required] = [loaded(copies), loaded(copies)];
    expect(imported.exports['query']).toBe('1');
    expect(required.exports).toBe(imported.exports);
  });

  test('wraps see what the ones before them made; an undone one is out from between them', () => {
    const copies = new SdkCopies(failed);
    const shown = loaded(copies);
    const undo = copies.add(wrap('first'));
    copies.add(wrap('second'));
    expect(shown.exports['query']).toBe('second(first(query))');
    undo();
    expect(shown.exports['query']).toBe('second(query)');
    undo();
    expect(shown.exports['query']).toBe('second(query)');
  });

  test('the same wrap added twice is undone one by one', () => {
    const copies = new SdkCopies(failed);
    const shown = loaded(copies);
    const same = wrap('same');
    const undo = copies.add(same);
    copies.add(same);
    undo();
    expect(shown.exports['query']).toBe('same(query)');
  });

  test('a wrap that throws leaves the exports to the others, and is told', () => {
    const errors: unknown[] = [];
    const copies = new SdkCopies((error) => errors.push(error));
    copies.add(() => failed(new Error('broken')));
    copies.add(wrap('traced'));
    expect(loaded(copies).exports['query']).toBe('traced(query)');
    expect(errors).toEqual([new Error('broken')]);
  });
});
