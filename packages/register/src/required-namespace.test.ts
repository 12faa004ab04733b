import { expect, test } from 'vitest';
import * as namespace from './sdk-entry.ts';
import { requiredNamespace } from './required-namespace.ts';

test('what is required looks like the namespace, and shows what is to be shown', () => {
  const { facade, show } = requiredNamespace(namespace);
  expect(Object.keys(facade)).toEqual(Object.keys(namespace));
  expect(Object.prototype.toString.call(facade)).toBe('[object Module]');
  expect(Reflect.get(facade, 'isSdkEntry')).toBe(namespace.isSdkEntry);
  show({ isSdkEntry: 'replaced' });
  expect(facade).toMatchObject({ isSdkEntry: 'replaced', mayBeSdk: namespace.mayBeSdk });
});

test('as with a namespace, nobody can set its members', () => {
  const { facade } = requiredNamespace(namespace);
  expect(Reflect.set(facade, 'mayBeSdk', 1)).toBe(false);
  expect(Reflect.has(facade, 'default')).toBe(false);
});
