import { join } from 'node:path';
import type { Span } from '@spanprism/core';
import { COST_DIMENSIONS } from '@spanprism/store';
import { beforeAll, expect, test } from 'vitest';
import { call, step, tool, turn } from './__fixtures__/drafts.ts';
import { writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { FILL_LIMIT_MS, storeFolder } from './__fixtures__/store-folder.ts';

// Clears the screen, sets the title, rings, goes back, turns text around, ends a hyperlink with C1 controls, hides a break.
const EVIL =
  'a\u001b[2J\u001b]0;title\u0007\b\r\u009b31m\u202e\u2066\u009d8;;http://x\u009c\u0000\u2028\u2029\u200b\ufeff\ud800b\u{e0041}\nrun-x  ✓ completed';
const STORE = join(await storeFolder(), 'spans.db');
const said = [
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: EVIL },
      { type: 'text', text: EVIL },
    ],
  },
] as const;
const SGR = new RegExp(`${String.fromCharCode(27)}\\[[^m]*m`, 'g');
const error = { type: EVIL, message: EVIL };
const session = `${EVIL}`;

const spans: readonly Span[] = [
  step({ id: 'step', session, at: [0, 100] }, { name: EVIL, status: 'error', error }),
  turn(
    { id: 'turn', session, at: [0, 90] },
    { agentName: EVIL, input: said, output: said, status: 'error', outcome: 'api_error', error, cwd: `/x/${EVIL}` },
  ),
  call(
    { id: 'call', parent: 'turn', session, at: [1, 50] },
    {
      requestModel: EVIL,
      output: said,
      costUsd: 0.01,
      status: 'error',
      error,
      events: [{ name: 'retry', at: 0n, attributes: { [EVIL]: EVIL }, content: EVIL }],
      issues: [{ code: 'conflict', message: EVIL }],
    },
  ),
  tool(
    { id: 'tool', parent: 'turn', session, at: [51, 60] },
    {
      toolName: EVIL,
      mcpServer: EVIL,
      status: 'error',
      error,
      input: { [EVIL]: EVIL },
      output: [{ type: 'text', text: EVIL }],
    },
  ),
  call({ id: 'call-2', parent: 'turn', session, at: [61, 70] }, { costUsd: 0.01 }),
].map((span) => ({
  ...span,
  attributes: { project: EVIL, 'user.id': EVIL, tags: JSON.stringify([EVIL]), 'vcs.ref.head.name': EVIL },
}));

const REPORTS = [
  ['runs'],
  ['runs', '--json'],
  ['failures'],
  ['failures', '--json'],
  ['show'],
  ['show', '--full'],
  ['show', '--json'],
  ...COST_DIMENSIONS.flatMap((by) => [
    ['cost', '--by', by],
    ['cost', '--by', by, '--json'],
  ]),
];

beforeAll(() => writeSpans(STORE, { spans }), FILL_LIMIT_MS);

test.each(REPORTS)('spanprism %s %s %s %s prints nothing that drives a terminal', async (...args) => {
  const { stdout, stderr } = await runReport(args, { store: STORE });
  expect(stdout).not.toBe('');
  // Emoji are joined by U+200D; nothing else of controls, invisible formatting and halves of characters is let through.
  expect(stdout + stderr).not.toMatch(/(?![\n\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
});

test('nothing that a run says of itself can pass for a line of the table', async () => {
  const { stdout } = await runReport(['runs'], { store: STORE });
  expect(stdout.trimEnd().split('\n')).toHaveLength(2);
});

test('on a terminal only colours of ours are set', async () => {
  for (const args of REPORTS.filter((report) => !report.includes('--json'))) {
    const { stdout } = await runReport(args, { store: STORE, columns: 100 });
    const codes = stdout.match(SGR) ?? [];
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter((code) => !/^.\[(?:0|1|2|31|32|33|36)m$/.test(code))).toEqual([]);
    expect(stdout.replace(SGR, '')).not.toMatch(/(?!\n)\p{Cc}/u);
  }
});

test('a JSON document holds all of it nevertheless', async () => {
  const { stdout } = await runReport(['failures', '--json'], { store: STORE });
  const { failures } = JSON.parse(stdout) as { failures: readonly { latest: { message: string } }[] };
  expect(failures[0]?.latest.message.replaceAll('\ufffd', '\ud800')).toBe(EVIL);
});

test('what the command line says is not handed on either', async () => {
  for (const args of [
    ['show', EVIL],
    ['cost', '--by', EVIL],
    ['runs', '--since', EVIL],
    ['runs', '--limit', EVIL],
    ['runs', '--project', EVIL],
  ]) {
    const { stderr } = await runReport(args, { store: STORE });
    expect(stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  }
});
