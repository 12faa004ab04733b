import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import {
  answer,
  type CollectedSpan,
  cleanEnvironment,
  makeProject,
  type Rule,
  startCollector,
  startMessagesApi,
  text,
  toolUse,
  when,
} from '@spanprism/testkit';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const examples = join(root, 'examples');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the examples as a user would, but on the sources, and in an environment that shares nothing with this machine. */
function runExample(file: string, words: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const parameters = ['--conditions=@spanprism/source', join(examples, file), ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: examples, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function runAgainst(rules: readonly Rule[], file: string, words: readonly string[]) {
  await using project = await makeProject();
  await using api = await startMessagesApi({ rules });
  await using collector = await startCollector();
  const env = cleanEnvironment({
    home: project.home,
    apiUrl: api.url,
    extra: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'example' },
  });
  const ended = await runExample(file, words, env);
  const spans = collector.spans().toSorted((left, right) => Number(left.startedAt - right.startedAt));
  return { ended, spans };
}

function treeOf(spans: readonly CollectedSpan[], parent?: CollectedSpan, depth = 0): readonly string[] {
  const children = spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  return children.flatMap((span) => [`${'  '.repeat(depth)}${span.name}`, ...treeOf(spans, span, depth + 1)]);
}

const OK = { code: 0, stderr: '' };

test('the OTLP example sends its run to a collector', async () => {
  const { ended, spans } = await runAgainst(
    [
      when.toolResult('toolu_ls', /otlp\.ts/).reply(text('Two programs and a demo.')),
      when.lastUserText('Look around').reply(toolUse({ id: 'toolu_ls', name: 'Bash', input: { command: 'ls' } })),
    ],
    'otlp.ts',
    ['Look around'],
  );
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
  const { ended, spans } = await runAgainst(
    [
      when.toolResult('toolu_stock', '4 left').reply(answer(text('Four lamps are left.'))),
      when.lastUserText('How many lamps?').reply(answer(stock)),
    ],
    'otel-host.ts',
    ['How many lamps?'],
  );
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
