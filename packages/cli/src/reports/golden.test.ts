import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cellsOf } from '@spanprism/core/terminal';
import { beforeAll, expect, test } from 'vitest';
import { fillStore, writeSpans } from './__fixtures__/recorded-store.ts';
import { runReport } from './__fixtures__/run-report.ts';
import { FILL_LIMIT_MS, storeFolder } from './__fixtures__/store-folder.ts';
import { TOLD_RUNS } from './__fixtures__/told-runs.ts';

// Tables show times of the local zone.
process.env['TZ'] = 'Europe/Berlin';

const folder = await storeFolder();
const store = join(folder, 'told.db');
const bare = join(folder, 'bare.db');
const recorded = join(folder, 'recorded.db');

beforeAll(async () => {
  await writeSpans(store, { spans: TOLD_RUNS });
  await writeSpans(bare, { spans: TOLD_RUNS, capture: 'metadata' });
  await fillStore(recorded, [
    { recording: 'failing-tools', attributes: { project: 'web' } },
    { recording: 'background-subagent' },
    { recording: 'three-tools-at-once', attributes: { project: 'web' } },
    { recording: 'bad-request' },
  ]);
}, FILL_LIMIT_MS);

/** The file of that name, which a person has read; `UPDATE_GOLDEN=1` writes it anew. */
async function golden(name: string, text: string): Promise<string> {
  const file = new URL(`__fixtures__/${name}.txt`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, text);
  return readFile(file, 'utf8');
}

test.each([
  ['runs', ['runs'], undefined],
  ['runs-narrow', ['runs'], 64],
  ['failures', ['failures'], undefined],
  ['failures-narrow', ['failures'], 72],
  ['show', ['show', 'session-1'], undefined],
  ['show-full', ['show', 'session-1', '--full'], undefined],
  ['show-narrow', ['show', 'session-1'], 80],
  ['show-api-error', ['show'], undefined],
  ['cost-by-tool', ['cost', '--by', 'tool'], undefined],
  ['cost-by-day', ['cost', '--by', 'day'], undefined],
  ['cost-by-model', ['cost'], undefined],
  ['cost-by-subagent-folded', ['cost', '--by', 'subagent', '--limit', '1'], undefined],
] as const)('%s is as it was read', async (name, args, columns) => {
  const env = { NO_COLOR: '1' };
  const { stdout } = await runReport(args, { store, env, ...(columns === undefined ? {} : { columns }) });
  expect(stdout).toBe(await golden(name, stdout));
  for (const line of stdout.split('\n')) expect(cellsOf(line)).toBeLessThanOrEqual(columns ?? Infinity);
});

test.each([
  ['recorded-runs', ['runs']],
  ['recorded-failures', ['failures']],
  ['recorded-cost', ['cost', '--by', 'tool']],
  ['recorded-cost-by-session', ['cost', '--by', 'session']],
])('%s is as it was read', async (name, args) => {
  const { stdout } = await runReport(args, { store: recorded });
  expect(stdout).toBe(await golden(name, stdout));
});

test('where no content was captured, its size is shown', async () => {
  const { stdout } = await runReport(['show', 'session-1'], { store: bare });
  expect(stdout).toBe(await golden('show-not-captured', stdout));
});
