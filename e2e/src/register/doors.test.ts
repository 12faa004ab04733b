import { answer, startCollector, text, toolUse, when } from '@spanprism/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { NODES } from '../lane.ts';
import { usage } from '../replies.ts';
import { copySdk, installRegistered, namesByPath, REGISTER, type RegisteredApp, run, WHOLE } from './registered-app.ts';
import { join } from 'node:path';

let app: RegisteredApp;

beforeAll(() => {
  app = installRegistered('registered', inject('tarballs'));
  copySdk(join(app.folder, 'other'));
});
afterAll(() => app[Symbol.dispose]());

const LINE = 'spanprism: Claude agents are traced to otlp (OTEL_EXPORTER_OTLP_ENDPOINT)\n';

/** What a traced run of a program leaves behind. */
async function traced(node: string, words: readonly string[], rules?: Parameters<typeof run>[0]['rules']) {
  await using collector = await startCollector();
  const extra = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const ended = await run({ node, app, words, extra, ...(rules === undefined ? {} : { rules }) });
  return { ended, names: namesByPath(collector)['/v1/traces'], spans: collector.spans() };
}

const RUN = { ended: { code: 0, signal: null, stdout: 'Three files.\n', stderr: LINE }, names: WHOLE };

const DOORS = ['imported.mjs', 'imported-core.mjs', 'imported-late.mjs', 'required.cjs', 'required-core.cjs'];

describe.each(Object.entries(NODES))('on Node %s, with one line on stderr', (version, node) => {
  test.each(DOORS)('%s is traced, each span once', async (program) => {
    expect(await traced(node, [...REGISTER, program])).toMatchObject(RUN);
  });

  test.each([
    ['--import', 'tsx', ...REGISTER, 'typescript.mts'],
    [...REGISTER, '--import', 'tsx', 'typescript.ts'],
  ])('TypeScript is traced, before and behind tsx: %s %s %s %s %s', async (...words) => {
    expect(await traced(node, words)).toMatchObject(RUN);
  });

  test('two copies of the SDK are traced, one of them both imported and required', async () => {
    const { ended, names } = await traced(node, [...REGISTER, 'two-copies.mjs']);
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'Three files.\nThree files.\n', stderr: LINE });
    expect(names).toEqual([...WHOLE, ...WHOLE].toSorted());
  });

  test('CommonJS that requires a module that imports the SDK is traced, but for Node 20, where it runs as it is', async () => {
    // Node 20 asks no loader hooks about the imports of a module that is required.
    const isSeen = version !== '20.19';
    const { ended, names } = await traced(node, [...REGISTER, 'required-module.cjs']);
    expect(ended).toEqual({ ...RUN.ended, stderr: isSeen ? LINE : '' });
    expect(names).toEqual(isSeen ? WHOLE : undefined);
  });
});

test('a program that wraps the SDK itself is traced once, as it says', async () => {
  const { ended, names } = await traced(NODES['24'], [...REGISTER, 'explicit.mjs']);
  expect(ended).toEqual({ code: 0, signal: null, stdout: `Three files.\n${WHOLE.length}\n`, stderr: '' });
  expect(names).toBeUndefined();
});

test('the exact figures are there: the CLI’s telemetry was received from the first query on', async () => {
  const { spans } = await traced(NODES['24'], [...REGISTER, 'imported.mjs']);
  const calls = spans.filter(({ name }) => name.startsWith('chat'));
  expect(calls.map(({ attributes }) => attributes['gen_ai.usage.output_tokens']).toSorted()).toEqual([12, 30]);
  expect(calls.map(({ attributes }) => attributes['gen_ai.usage.input_tokens']).toSorted()).toEqual([5500, 5700]);
});

test('a tool server of the program’s own is made, and works, before anything else is traced', async () => {
  const rules = [
    when.toolResult('toolu_stock', /4 left/).reply(answer(text('Four lamps.'), { usage: usage(1500, 9) })),
    when
      .lastUserText('How many lamps?')
      .reply(answer(toolUse({ id: 'toolu_stock', name: 'mcp__shop__stock', input: {} }), { usage: usage(1200, 30) })),
  ];
  const { ended, names } = await traced(NODES['24'], [...REGISTER, 'tool-server.mjs'], rules);
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'Four lamps.\n', stderr: LINE });
  expect(names).toContain('execute_tool mcp__shop__stock');
});
