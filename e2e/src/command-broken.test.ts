import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, text, when } from '@spanprism/testkit';
import { expect, test } from 'vitest';
import { type CommandScenario, MODEL, runCommand, visible } from './command-run.ts';
import { bash } from './replies.ts';

const BREAKAGE = fileURLToPath(new URL('./command-breakage.mjs', import.meta.url));
const SCENARIO: CommandScenario = {
  args: ['-p', 'use bash', '--model', MODEL, '--allowedTools', 'Bash'],
  rules: [
    when.toolResult('toolu_1').reply(answer(text('Done.'))),
    when.reply(answer([text('Let me check.'), bash('toolu_1', 'sleep 0.3; exit 3')])),
  ],
};
const broken = (what: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import ${BREAKAGE}`,
  BREAK: what,
});

/** In a namespace of its own, where a file system as small as that is at `folder`. */
const onSmallDisk =
  (folder: string, size: string) =>
  (command: readonly string[]): readonly string[] => {
    const script = `mount -t tmpfs -o size=${size} tmpfs ${folder} && exec "$@"`;
    return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...command];
  };

const canMount = ((): boolean => {
  const [program = '', ...args] = onSmallDisk('/mnt', '4k')(['true']);
  return spawnSync(program, args).status === 0;
})();

test.skipIf(!canMount).each([
  ['for the store’s first page', '4k'],
  ['for its tables', '32k'],
  ['for what is in them', '192k'],
])(
  'claude runs as if we were not there when the disk has no room %s (skipped where none can be mounted)',
  async (_name, size) => {
    const folder = await mkdtemp(join(tmpdir(), 'spanprism-full-'));
    const scenario = {
      ...SCENARIO,
      within: onSmallDisk(folder, size),
      env: { SPANPRISM_STORE: join(folder, 'spans.db') },
    };
    const [plain, traced] = [await runCommand(scenario, 'plain'), await runCommand(scenario, [])];
    await rm(folder, { recursive: true });
    expect(visible(traced)).toEqual(visible(plain));
    const [trouble, run, ...more] = traced.stderr.trimEnd().split('\n');
    expect(trouble).toMatch(/^spanprism: .*spans\.db.*(full|room)/);
    expect(run).toMatch(/^spanprism: run .* to nowhere$/);
    expect(more).toEqual([]);
  },
);

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['nothing can listen', broken('listen'), /this run is not traced: listen EPERM/],
  ['our threads die', broken('threads'), /spanprism: /],
  ['a fault of ours that nobody catches', broken('fault'), /tracing broke: a fault of ours/],
  ['the store cannot be written', { SPANPRISM_STORE: '/dev/null/spans.db' }, /\/dev\/null/],
  [
    'the backend cannot be reached',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    /127\.0\.0\.1:1[^]* to nowhere\n$/,
  ],
  ['the backend’s address is none', { OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url' }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
  ['tracing is switched off', { OTEL_SDK_DISABLED: 'true' }, /^$/],
])('claude runs as if we were not there when %s', async (_name, env, said) => {
  const plain = await runCommand(SCENARIO, 'plain');
  const traced = await runCommand({ ...SCENARIO, env }, []);
  expect(visible(traced)).toEqual(visible(plain));
  expect(traced.stderr).toMatch(said);
});
