import { execFile } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openStore, type StoredSpan } from '@spanprism/store';
import { answer, cleanEnvironment, makeProject, startMessagesApi, text, when } from '@spanprism/testkit';
import { expect, inject, test } from 'vitest';
import { binary, MODEL } from './command-run.ts';
import { agent, bash, usage } from './replies.ts';

const RULES = [
  when.toolResult('toolu_sub').reply(answer(text('It says alpha.'), { usage: usage(300, 30) })),
  when.lastUserText('Read a.txt').reply(answer([bash('toolu_sub', 'cat a.txt')], { usage: usage(200, 20) })),
  when.toolResult('toolu_agent').reply(answer(text('Done.'), { usage: usage(400, 40) })),
  when.reply(answer([text('I ask.'), agent('toolu_agent', 'Read a.txt', false)], { usage: usage(100, 10) })),
];
const CLAUDE = ['-p', 'delegate', '--model', MODEL, '--allowedTools', 'Bash', 'Agent'];

/** All of a store. */
function stored(path: string) {
  const store = openStore(path, { readOnly: true });
  try {
    const runs = store.runs().flatMap(({ id }) => store.run(id) ?? []);
    return runs.map(({ run, spans }) => ({
      run,
      spans: spans.map(({ body, ...span }) => ({ ...span, body: body() })),
    }));
  } finally {
    store.close();
  }
}

/** Kind, name, state and parent of each span. */
const shapeOf = ({ spans }: { readonly spans: readonly Omit<StoredSpan, 'body'>[] }): readonly string[] => {
  const nameOf = new Map(spans.map(({ spanId, kind, name }) => [spanId, `${kind} ${name}`]));
  return spans.map(({ kind, name, status, outcome = '', parentSpanId = '' }) => {
    return `${kind} ${name} ${status} ${outcome} in ${nameOf.get(parentSpanId) ?? 'nothing'}`;
  });
};

test('what was traced is not imported again, what was not becomes the same run, and a second time changes nothing', async () => {
  await using api = await startMessagesApi({ rules: RULES });
  await using project = await makeProject();
  const store = join(project.home, 'store', 'spans.db');
  const path = [dirname(binary()), process.env['PATH']].join(delimiter);
  const extra = { PATH: path, SPANPRISM_STORE: store };
  const env = cleanEnvironment({ home: project.home, apiUrl: api.url, extra });
  const run = async (program: string, args: readonly string[]) => {
    const child = promisify(execFile)(program, args, { cwd: project.cwd, env });
    child.child.stdin?.end();
    return (await child).stdout;
  };
  const main = join(inject('packedFolder'), 'node_modules', 'spanprism', 'dist', 'main.js');
  const ours = (...args: string[]) => run(process.execPath, [main, ...args]);
  await ours('claude', ...CLAUDE);
  const [traced, ...none] = stored(store);
  expect(none).toEqual([]);
  expect(await ours('import')).toMatch(/Added 0 spans of 0 turns in 0 runs .*; 1 turn was there/);
  expect(stored(store)).toEqual([traced]);

  await run(binary(), CLAUDE);
  expect(await ours('import')).toMatch(/Added 8 spans of 1 turn in 1 run .*; 1 turn was there/);
  const after = stored(store);
  const imported = after.find(({ run: { id } }) => id !== traced?.run.id);
  expect(after).toContainEqual(traced);
  expect(imported && shapeOf(imported)).toEqual(traced && shapeOf(traced));
  expect(imported?.run.usage).toEqual(traced?.run.usage);
  expect(imported?.run.costNanoUsd).toBe(traced?.run.costNanoUsd);
  expect(await ours('import')).toMatch(/Added 0 spans of 0 turns in 0 runs .*; 2 turns were there/);
  expect(stored(store)).toEqual(after);
});
