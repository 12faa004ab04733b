import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startCollector, startSentryEndpoint } from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Ended, NODES } from '../lane.ts';
import { installRegistered, namesByPath, REGISTER, type RegisteredApp, run, WHOLE } from './registered-app.ts';

let app: RegisteredApp;

beforeAll(() => {
  app = installRegistered('registered', inject('tarballs'));
});
afterAll(() => app[Symbol.dispose]());

async function asked(extra: Readonly<Record<string, string>>, where: RegisteredApp = app): Promise<Ended> {
  return run({ node: NODES['24'], app: where, words: [...REGISTER, 'imported.mjs'], extra });
}

const ENVIRONMENTS: Readonly<Record<string, (url: string) => Readonly<Record<string, string>>>> = {
  otlp: (url) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/otlp` }),
  langfuse: (url) => ({
    LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
    LANGFUSE_SECRET_KEY: 'sk-lf-1',
    LANGFUSE_BASE_URL: `${url}/langfuse`,
  }),
  logfire: (url) => ({ LOGFIRE_TOKEN: 'pylf_v1_us_1234567890', LOGFIRE_BASE_URL: `${url}/logfire` }),
  phoenix: (url) => ({ PHOENIX_COLLECTOR_ENDPOINT: `${url}/phoenix` }),
};

const all = (url: string): Readonly<Record<string, string>> =>
  Object.assign({}, ...Object.values(ENVIRONMENTS).map((environment) => environment(url)));

const PATHS = ['/otlp/v1/traces', '/langfuse/api/public/otel/v1/traces', '/logfire/v1/traces', '/phoenix/v1/traces'];

describe('the environment chooses where traces go', () => {
  test('all at once: each backend gets every span, in one trace, and one line names them', async () => {
    await using collector = await startCollector();
    await using sentry = await startSentryEndpoint();
    const { code, stderr } = await asked({ ...all(collector.url), SENTRY_DSN: sentry.dsn });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'spanprism: Claude agents are traced to otlp (OTEL_EXPORTER_OTLP_ENDPOINT), langfuse (LANGFUSE_PUBLIC_KEY), ' +
        'logfire (LOGFIRE_TOKEN), sentry-otlp (SENTRY_DSN), phoenix (PHOENIX_COLLECTOR_ENDPOINT)\n',
    });
    const received = namesByPath(collector);
    expect(Object.keys(received).toSorted()).toEqual(PATHS.toSorted());
    expect(received).toMatchObject({
      '/otlp/v1/traces': WHOLE,
      '/phoenix/v1/traces': WHOLE,
      '/langfuse/api/public/otel/v1/traces': ['Bash', 'claude', 'claude-sonnet-4-5', 'claude-sonnet-4-5'],
      // Its live view has records of spans that still ran, too.
      '/logfire/v1/traces': expect.arrayContaining([...WHOLE]),
    });
    expect(new Set(collector.spans().map(({ traceId }) => traceId)).size).toBe(1);
    expect([...new Set(sentry.requests.map(({ path }) => path))]).toEqual([
      expect.stringMatching(/^\/api\/\d+\/integration\/otlp\/v1\/traces\/?$/),
    ]);
  });

  test('none set: the console', async () => {
    const { stdout, stderr } = await asked({});
    expect(stdout).toBe('Three files.\n');
    const [line, ...view] = stderr.split('\n');
    expect(line).toMatch(/^spanprism: Claude agents are traced on this console; OTEL_EXPORTER_OTLP_ENDPOINT, /);
    expect(view.join('\n')).toMatch(/✓ Bash .*\n.*✓ claude completed .* tools: Bash/s);
  });

  test('a wrong value is one line that names the variable; the other sink and the program go on', async () => {
    await using collector = await startCollector();
    const { code, stdout, stderr } = await asked({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Three files.\n' });
    expect(stderr).toMatch(
      /^spanprism: .*LANGFUSE_SECRET_KEY.*\nspanprism: Claude agents are traced to otlp \(.*\)\n$/,
    );
    expect(namesByPath(collector)).toEqual({ '/v1/traces': WHOLE });
  });

  test('a package that is not installed is named, and the program runs as it is', async () => {
    const bare = withoutAdapters();
    const { code, stdout, stderr } = await asked({ LOGFIRE_TOKEN: 'pylf_v1_us_1234567890' }, bare);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'Three files.\n',
      stderr:
        'spanprism: LOGFIRE_TOKEN is set, but @spanprism/claude-logfire is not installed: npm install @spanprism/claude-logfire\n' +
        'spanprism: nothing is traced\n',
    });
  });
});

/** The same app with this package and core alone. */
function withoutAdapters(): RegisteredApp {
  const folder = join(app.folder, '..', 'bare');
  mkdirSync(folder);
  for (const file of ['imported.mjs', 'ask.cjs']) cpSync(join(app.folder, file), join(folder, file));
  const needed = ['core', 'register'].map((name) => `@spanprism/${name}`);
  const theirs = ['import-in-the-middle', 'cjs-module-lexer', 'es-module-lexer', 'module-details-from-path'];
  for (const name of [...needed, ...theirs, '@anthropic-ai/claude-agent-sdk']) {
    cpSync(join(app.folder, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  }
  return { folder, [Symbol.dispose]: () => undefined };
}
