import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NODES } from '../lane.ts';
import { installRegistered, REGISTER, type RegisteredApp, run } from './registered-app.ts';

let app: RegisteredApp;

beforeAll(() => {
  app = installRegistered('registered', inject('tarballs'));
});
afterAll(() => app[Symbol.dispose]());

// Wrong on purpose: nobody may look at it.
const extra = { OTEL_EXPORTER_OTLP_ENDPOINT: 'no url', LANGFUSE_PUBLIC_KEY: 'pk', SENTRY_DSN: 'no dsn' };

describe.each(Object.entries(NODES))('on Node %s', (version, node) => {
  test('a process that never loads the SDK is as it would be without', async () => {
    const [plain, registered] = await Promise.all([
      run({ node, app, words: ['idle.mjs'], extra }),
      run({ node, app, words: [...REGISTER, 'idle.mjs'], extra }),
    ]);
    expect(plain).toEqual({ code: 0, signal: null, stdout: '0\n', stderr: '' });
    // Older versions of Node run loader hooks on a thread of Node's own, and no other thread is there.
    expect(registered).toEqual({ ...plain, stdout: version === '24' ? '0\n' : '1\n' });
  });

  test('a process that loads the SDK and never calls it says nothing', async () => {
    const ended = await run({ node, app, words: [...REGISTER, 'loads-only.mjs'], extra });
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'function\n', stderr: '' });
  });
});

test('OTEL_SDK_DISABLED leaves the program alone', async () => {
  const words = [...REGISTER, 'imported.mjs'];
  const ended = await run({ node: NODES['24'], app, words, extra: { ...extra, OTEL_SDK_DISABLED: 'true' } });
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'Three files.\n', stderr: '' });
});
