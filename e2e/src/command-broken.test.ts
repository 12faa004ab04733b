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

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['nothing can listen', broken('listen'), /this run is not traced: listen EPERM/],
  ['our threads die', broken('threads'), /spanprism: /],
  ['a fault of ours that nobody catches', broken('fault'), /tracing broke: a fault of ours/],
  ['the store cannot be written', { SPANPRISM_STORE: '/dev/null/spans.db' }, /\/dev\/null/],
  ['the backend cannot be reached', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, /127\.0\.0\.1:1/],
  ['the backend’s address is none', { OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url' }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
  ['tracing is switched off', { OTEL_SDK_DISABLED: 'true' }, /^$/],
])('claude runs as if we were not there when %s', async (_name, env, said) => {
  const plain = await runCommand(SCENARIO, 'plain');
  const traced = await runCommand({ ...SCENARIO, env }, []);
  expect(visible(traced)).toEqual(visible(plain));
  expect(traced.stderr).toMatch(said);
});
