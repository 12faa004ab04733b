import * as sentry11 from '@sentry/node';
import * as sentry10 from 'sentry-node-10';
import { beforeEach, expect, test } from 'vitest';
import { isSentryLive } from './sentry-state.ts';

// Where each version keeps its state; the next use of it makes another.
beforeEach(() => void Reflect.deleteProperty(globalThis, '__SENTRY__'));

interface Sdk {
  readonly SDK_VERSION: string;
  getClient(): unknown;
  init(options: object): unknown;
  close(ms: number): PromiseLike<boolean>;
}

test.each<readonly [string, Sdk]>([
  ['10', sentry10],
  ['11', sentry11],
])('version %s is live when it has been initialised, and not when it has only been loaded', async (version, sentry) => {
  expect(sentry.SDK_VERSION).toMatch(new RegExp(`^${version}\\.`));
  expect(isSentryLive()).toBe(false);
  // Makes its state, as whatever uses it does.
  expect(sentry.getClient()).toBeUndefined();
  expect(isSentryLive()).toBe(false);
  sentry.init({ dsn: 'https://key@127.0.0.1/1', defaultIntegrations: false });
  expect(isSentryLive()).toBe(true);
  await sentry.close(0);
});

test('a program without Sentry has none that is live', () => {
  expect(isSentryLive()).toBe(false);
});
