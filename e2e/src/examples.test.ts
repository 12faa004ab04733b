import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { answer, text, toolUse, when } from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';
import { root, runAgainst, runExample, treeOf } from './run-example.ts';

const OK = { code: 0, stderr: '' };

/** It draws the picture of the README. */
const TOOLS = ['draw-trace.ts'];

test('every example fits on a page, and the README lists it', () => {
  const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), 'utf8');
  const files = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.ts') && !TOOLS.includes(file));
  expect(files.length).toBeGreaterThanOrEqual(14);
  expect(files.filter((file) => read('examples', file).trimEnd().split('\n').length > 40)).toEqual([]);
  const readme = read('README.md');
  expect(files.filter((file) => !readme.includes(`](examples/${file})`))).toEqual([]);
});

test('the OTLP example sends its run to a collector', async () => {
  const { ended, spans } = await runAgainst({
    rules: [
      when.toolResult('toolu_ls', /otlp\.ts/).reply(text('Two programs and a demo.')),
      when.lastUserText('Look around').reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls' } })),
    ],
    file: 'otlp.ts',
    words: ['Look around'],
  });
  expect(ended).toEqual({ ...OK, stdout: 'Two programs and a demo.\n' });
  expect(treeOf(spans)).toEqual([
    'invoke_agent guide',
    expect.stringMatching(/^ {2}chat claude-/),
    '  execute_tool Bash',
    expect.stringMatching(/^ {2}chat claude-/),
  ]);
  expect(spans.map(({ resource }) => resource['service.name'])).toEqual(spans.map(() => 'example'));
  expect(spans.map(({ attributes }) => attributes['user.id'])).toEqual(spans.map(() => 'ada'));
});

test('the OpenTelemetry example has one trace: request, agent, tool, and the span that the tool makes itself', async () => {
  const stock = toolUse({ id: 'toolu_stock', name: 'mcp__shop__stock', input: { article: 'lamp' } });
  const { ended, spans } = await runAgainst({
    rules: [
      when.toolResult('toolu_stock', '4 left').reply(answer(text('Four lamps are left.'))),
      when.lastUserText('How many lamps?').reply(answer(stock)),
    ],
    file: 'otel-host.ts',
    words: ['How many lamps?'],
  });
  expect(ended).toEqual({ ...OK, stdout: 'Four lamps are left.\n' });
  expect(treeOf(spans)).toEqual([
    'GET /ask',
    '  invoke_agent claude',
    expect.stringMatching(/^ {4}chat claude-/),
    '    execute_tool mcp__shop__stock',
    '      SELECT stock',
    expect.stringMatching(/^ {4}chat claude-/),
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
});

/** A tree without what differs from run to run: its times and the temporary folder. */
function withoutChance(tree: string): readonly string[] {
  const lines = tree.trimEnd().split('\n');
  return lines.map((line) => line.replace(/^ *\+\S+ \S+ +\S+ \S+ +/, '').replace(/\S*spanprism-\w+/, ''));
}

describe('the demo', () => {
  const bare = { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '/tmp' };

  test('needs no key, shows the run and its tree, and quotes the lines that traced it', async () => {
    const { code, stdout, stderr } = await runExample(join('demo', 'main.ts'), [], bare);
    expect({ code, stderr: stripVTControlCharacters(stderr) }).toEqual({ code: 0, stderr });
    expect(stderr).toMatch(
      /▶ claude Fix the typo[^]*→ Edit [^]*▶ general-purpose[^]*! retry 529[^]*✓ claude completed/,
    );
    // What the script says was used, call by call and in all.
    for (const figures of ['11,844 in → 148 out', '12,887 in (12,539 cached) → 31 out', '2,914 in → 88 out'])
      expect(stdout).toContain(figures);
    expect(stdout).toContain('55,714 in (39,541 cached) → 508 out');
    expect(stdout).not.toContain('unattributed');
    const [, pictured = ''] = /^```text\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
    const [, printed = ''] = /The trace\n(.*?)\n\n/s.exec(stdout) ?? [];
    expect(withoutChance(printed)).toEqual(withoutChance(pictured));
    expect(stdout.trimEnd().split('\n').slice(-4)).toEqual([
      "  const tracing = createTracing({ sinks: [consoleSink(), memory], capture: 'full' });",
      '  await tracing.ready();',
      '  const { query } = tracing.wrapSdk(sdk);',
      '  await tracing.close();',
    ]);
  });

  test('with --live and without a key says what is missing', async () => {
    const { code, stdout, stderr } = await runExample(join('demo', 'main.ts'), ['--live', 'hello'], bare);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('--live needs ANTHROPIC_API_KEY');
  });
});
