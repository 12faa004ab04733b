import { startSentryEndpoint } from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Ended, NODES } from '../lane.ts';
import { installRegistered, REGISTER, type RegisteredApp, run, WHOLE } from './registered-app.ts';

let app: RegisteredApp;

beforeAll(() => {
  app = installRegistered('registered', inject('tarballs'));
});
afterAll(() => app[Symbol.dispose]());

interface Sent {
  readonly ended: Ended;
  /** Names of the spans, and what Sentry calls their origin. */
  readonly names: readonly string[];
  readonly origins: ReadonlySet<string>;
}

async function sent(node: string, words: readonly string[]): Promise<Sent> {
  await using sentry = await startSentryEndpoint();
  const ended = await run({ node, app, words, extra: { SENTRY_DSN: sentry.dsn } });
  const spans = sentry.spans();
  return {
    ended,
    names: spans.map(({ name }) => name).toSorted(),
    origins: new Set(spans.map(({ origin }) => origin)),
  };
}

const LINE = 'spanprism: Claude agents are traced to sentry (SENTRY_DSN)\n';
const ORIGIN = 'auto.ai.claude_agent_sdk';
const answered = { code: 0, signal: null, stdout: 'Three files.\n' };

// With loader hooks on a thread of Node's own, and without.
describe.each(['20.19', '24'] as const)('with @sentry/node initialised, on Node %s', (version) => {
  const node = NODES[version];

  test.each([
    [...REGISTER, '--import', './sentry.mjs', 'imported.mjs'],
    ['--import', './sentry.mjs', ...REGISTER, 'required.cjs'],
  ])('the live sink is chosen: %s %s %s %s %s', async (...words) => {
    const { ended, names, origins } = await sent(node, words);
    expect(ended).toEqual({ ...answered, stderr: LINE });
    expect(names).toEqual(WHOLE);
    expect(origins).toEqual(new Set([ORIGIN]));
  });

  test('it is chosen, too, when the program initialises Sentry itself, after it has imported the SDK', async () => {
    const { ended, names } = await sent(node, [...REGISTER, 'sentry-in-the-program.mjs']);
    expect(ended).toEqual({ ...answered, stderr: LINE });
    expect(names).toEqual([...WHOLE, 'of the program'].toSorted());
  });

  test.each([
    ['behind it', [...REGISTER, '--import', './sentry-integration.mjs']],
    ['before it', ['--import', './sentry-integration.mjs', ...REGISTER]],
    ['without it', ['--import', './sentry-integration.mjs']],
  ])('Sentry’s integration traces once, with its own options, %s', async (_, flags) => {
    for (const program of ['imported.mjs', 'required.cjs']) {
      const { ended, names } = await sent(node, [...flags, program]);
      expect(ended).toMatchObject(answered);
      expect(ended.stderr).not.toContain('are traced to');
      expect(names).toEqual([...WHOLE.filter((name) => !name.startsWith('invoke')), 'invoke_agent lookout']);
    }
  });
});
