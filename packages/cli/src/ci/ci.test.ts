import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { CapturedSpan, LlmSpan } from '@spanprism/core';
import { sqliteSink } from '@spanprism/store';
import { makeProject, type Project } from '@spanprism/testkit';
import { agent, llm, tool } from '@spanprism/testkit/samples';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Io } from '../command.ts';
import { runCommandLine } from '../run-command-line.ts';
import { escaped } from './markdown.ts';

let project: Project;
beforeEach(async () => {
  project = await makeProject({});
});
afterEach(() => project.remove());

const NOW = new Date('2026-11-21T10:00:00Z');
const path = (name: string): string => join(project.home, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');

async function store(...spans: readonly CapturedSpan[]): Promise<void> {
  const sink = sqliteSink({ path: path('spans.db') });
  for (const span of spans) sink.spanEnd(span);
  await sink.close(5_000);
}

async function ci(args: readonly string[], more: Record<string, string> = {}, now: Date = NOW) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr'): Writable =>
    new Writable({
      write: (chunk: Buffer, _, done) => {
        written[name] += chunk.toString();
        done();
      },
    });
  const env = { SPANPRISM_STORE: path('spans.db'), ...more };
  const shown = { isTerminal: false, columns: 80, now: () => now };
  const io: Io = { stdout: stream('stdout'), stderr: stream('stderr'), env, cwd: project.cwd, ...shown };
  const code = await runCommandLine(['ci', ...args], io);
  return { code, ...written };
}

/** GitHub's own variables, with the files that they name. */
function actions(startedAt: string): Record<string, string> {
  mkdirSync(path('github'), { recursive: true });
  writeFileSync(path('github/event.json'), '{}');
  utimesSync(path('github/event.json'), new Date(startedAt), new Date(startedAt));
  for (const name of ['summary.md', 'output']) writeFileSync(path(`github/${name}`), '');
  return {
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_PATH: path('github/event.json'),
    GITHUB_STEP_SUMMARY: path('github/summary.md'),
    GITHUB_OUTPUT: path('github/output'),
  };
}

/** As GitHub's runner reads the file: `name<<delimiter`, lines, the delimiter. */
function outputs(): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = read('github/output').split('\n');
  for (let line = lines.shift(); line !== undefined && line !== ''; line = lines.shift()) {
    const [name = '', delimiter = ''] = line.split('<<');
    const end = lines.indexOf(delimiter);
    found[name] = lines.splice(0, end).join('\n');
    lines.shift();
  }
  return found;
}

const usage = (inputTokens: number, outputTokens: number): NonNullable<LlmSpan['usage']> => ({
  inputTokens,
  outputTokens,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
});
/** Times of samples begin at 2026-11-21T09:00:00Z. */
const call = (id: number, costUsd: number, more: object = {}): CapturedSpan =>
  llm({ id, parent: 1, ms: [10, 500], usage: usage(1_000, 50), costUsd, ...more });
const RUN: readonly CapturedSpan[] = [
  call(2, 0.01, { responseModel: 'claude-sonnet-4-5' }),
  tool({
    id: 3,
    parent: 1,
    ms: [510, 600],
    status: 'error',
    error: { type: 'ShellError', message: 'cat: secret.txt' },
  }),
  call(4, 0.0025, { responseModel: 'claude-haiku-4-5', ms: [610, 900] }),
  agent({ id: 1, ms: [0, 1_200], llmCalls: 2, toolCalls: 1 }),
];

test('a job’s runs are a page, with models, tools and what failed, and without what the agent read', async () => {
  await store(...RUN);
  const { code, stdout, stderr } = await ci([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatchInlineSnapshot(`
    "## Claude Code: 1 run, $0.0125

    | run | ended | models | turns | calls | tools | in | cached | out | cost | took |
    | --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |
    | 7d3c1f0e | ✅ completed | claude-sonnet-4-5, claude-haiku-4-5 | 1 | 2 | 1 | 2,000 | 0 | 100 | $0.0125 | 1.20 s |
    | **1 run** |  |  | 1 | 2 | 1 | 2,000 | 0 | 100 | **$0.0125** |  |

    ### Models

    | model | calls | failed | in | cached | out | cost |
    | --- | --: | --: | --: | --: | --: | --: |
    | claude-sonnet-4-5 | 1 |  | 1,000 | 0 | 50 | $0.0100 |
    | claude-haiku-4-5 | 1 |  | 1,000 | 0 | 50 | $0.0025 |

    ### Tools

    | tool | calls | failed | cost |
    | --- | --: | --: | --: |
    | Bash | 1 | 1 | $0.0025 |
    | *unattributed* | 0 |  | $0.0100 |

    ### What failed

    | what | why | times | last in run |
    | --- | --- | --: | --- |
    | tool Bash | ShellError | 1 | 7d3c1f0e |
    "
  `);
  expect(stdout).not.toContain('secret.txt');
});

test('with --errors it says in what words', async () => {
  await store(...RUN);
  expect((await ci(['--errors'])).stdout).toContain('| tool Bash | ShellError cat: secret.txt | 1 | 7d3c1f0e |');
});

test('on GitHub the page is the summary of the step, below what is there, and the figures are its outputs', async () => {
  await store(...RUN);
  const env = actions('2026-11-21T08:59:00Z');
  writeFileSync(path('github/summary.md'), 'Before\n');
  const { stdout } = await ci([], env);
  expect(read('github/summary.md')).toBe(`Before\n${stdout}`);
  expect(outputs()).toEqual({
    cost_usd: '0.012500000',
    input_tokens: '2000',
    output_tokens: '100',
    runs: '1',
    failed: '0',
    cut: '0',
  });
});

describe('runs of this job', () => {
  test('are those since it began, by what GitHub’s runner and GitLab say of it', async () => {
    await store(...RUN);
    expect((await ci([], actions('2026-11-21T09:30:00Z'))).stdout).toContain('## Claude Code: 0 runs');
    expect((await ci([], actions('2026-11-21T09:30:00Z'))).stdout).toContain('No run of this job is in the store.');
    expect((await ci([], { CI_JOB_STARTED_AT: '2026-11-21T09:30:00Z' })).stdout).toContain('## Claude Code: 0 runs');
    expect((await ci([], { CI_JOB_STARTED_AT: '2026-11-21T08:59:59Z' })).stdout).toContain('## Claude Code: 1 run,');
  });

  test('are those of the last day where nobody says when it began', async () => {
    await store(...RUN);
    expect((await ci([])).stdout).toContain('## Claude Code: 1 run,');
    expect((await ci([], {}, new Date('2026-11-22T09:30:00Z'))).stdout).toContain('## Claude Code: 0 runs');
  });

  test('are those since a time that is given', async () => {
    await store(...RUN);
    expect((await ci(['--since', '2h'], actions('2026-11-21T09:30:00Z'))).stdout).toContain('## Claude Code: 1 run,');
  });

  test('may be none: no store is no failure', async () => {
    const { code, stdout, stderr } = await ci(['--max-cost', '1'], actions('2026-11-21T09:30:00Z'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('## Claude Code: 0 runs, $0.00');
    expect(outputs()['cost_usd']).toBe('0.000000000');
  });
});

describe('a run that was cut', () => {
  test('is shown as such, with what it had done', async () => {
    await store(...RUN.slice(0, 3));
    const { code, stdout } = await ci([], actions('2026-11-21T08:59:00Z'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\| 7d3c1f0e \| ✂ cut \| .* \| 2 \| 1 \| 2,000 \| .* \| 100 \| \$0\.0125 \|/m);
    expect(stdout).toContain('`cut`: the process was gone before the turn had ended');
    expect(outputs()).toMatchObject({ runs: '1', cut: '1', failed: '0', cost_usd: '0.012500000' });
  });

  test('is one too if an earlier turn of it had ended', async () => {
    await store(...RUN, llm({ id: 12, parent: 11, ms: [2_000, 2_500], usage: usage(10, 1), costUsd: 0.001 }));
    await ci([], actions('2026-11-21T08:59:00Z'));
    expect(outputs()).toMatchObject({ runs: '1', cut: '1' });
  });
});

test('a call that belongs to no turn cuts none', async () => {
  await store(...RUN, llm({ id: 12, ms: [0, 5], usage: usage(10, 1), costUsd: 0.001, purpose: 'other' }));
  await ci([], actions('2026-11-21T08:59:00Z'));
  expect(outputs()).toMatchObject({ runs: '1', cut: '0' });
});

describe('a budget', () => {
  test.each([
    ['--max-cost', '0.0125', 0],
    ['--max-cost', '$0.0124', 1],
    ['--max-tokens', '2100', 0],
    ['--max-tokens', '2_099', 1],
  ])('%s %s: %i', async (option, value, expected) => {
    await store(...RUN);
    const { code, stdout, stderr } = await ci([option, value]);
    expect(code).toBe(expected);
    expect(stdout).toContain(expected === 0 ? 'Within budget: ' : '**Over budget:** ');
    expect(stderr).toMatch(expected === 0 ? /^$/ : new RegExp(`^spanprism: over budget: .*, ${option} .*\n$`));
  });

  test('that is exceeded is an annotation on GitHub, and what was used is an output all the same', async () => {
    await store(...RUN);
    const { code, stderr } = await ci(['--max-cost', '0', '--max-tokens', '0'], actions('2026-11-21T08:59:00Z'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^::error::spanprism: over budget: cost .*; tokens .*\n$/);
    expect(outputs()['cost_usd']).toBe('0.012500000');
  });

  test.each([
    ['--max-cost', 'much'],
    ['--max-tokens', '-1'],
    ['--max-tokens', '1.5'],
  ])('of no amount is wrong usage: %s=%s', async (option, value) => {
    await store(...RUN);
    const { code, stderr } = await ci([`${option}=${value}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^spanprism: ${option} .* is no .*\n$`));
  });
});

test('a page that cannot be written is told, and the budget still counts', async () => {
  await store(...RUN);
  const { code, stderr } = await ci(['--max-cost', '1'], { GITHUB_STEP_SUMMARY: path('nowhere/summary.md') });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^spanprism: the summary of the step cannot be written: ENOENT/);
});

test('a summary that GitHub would drop for its size is left as it was', async () => {
  await store(...RUN);
  const full = 'x'.repeat(1_048_000);
  writeFileSync(path('full.md'), full);
  const { code, stderr } = await ci([], { GITHUB_STEP_SUMMARY: path('full.md') });
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^spanprism: the summary of the step cannot be written: with it there would be 104\d{4} bytes/,
  );
  expect(read('full.md')).toBe(full);
});

test('names from the run cannot be Markdown, HTML, or commands of GitHub’s runner', async () => {
  const toolName = '::error::x|`<img src=x>\n\u001b[31m##[set-output name=a]b ![x](https://evil.example) @everyone';
  await store(
    tool({ id: 3, parent: 1, ms: [1, 2], status: 'error', error: { type: 'a|b', message: '' }, toolName }),
    ...RUN,
  );
  const { stdout } = await ci(['--errors']);
  const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.every((row) => /^\|( [^|]*)+\|/.test(row))).toBe(true);
  const columns = rows.map((row) => row.split('|').length);
  expect(new Set(columns).size).toBeLessThanOrEqual(4);
  expect(stdout).not.toMatch(/^\s*::|##\[|<img|@everyone|!\[|https:\/\//m);
  expect(stdout).not.toContain('\u001b');
  expect(stdout.split('\n').filter((line) => line.includes('everyone'))).toHaveLength(2);
});

test.each([
  ['mcp__github__create_issue', 'mcp__github__create_issue'],
  ['claude-sonnet-4-5', 'claude-sonnet-4-5'],
  ['__init__', '&#95;&#95;init&#95;&#95;'],
  ['a::b', 'a&#58;:b'],
  ['www.example.com', 'www&#46;example.com'],
  ['$x$ & <b>', '&#36;x&#36; &#38; &#60;b&#62;'],
])('%s as Markdown is %s', (text, markdown) => {
  expect(escaped(text)).toBe(markdown);
});
