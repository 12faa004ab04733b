import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder for the stores of one test file, gone when its tests are over. */
export async function storeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spanprism-reports-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Filling a store takes a second, and many on a machine that does all suites at once. */
export const FILL_LIMIT_MS = 60_000;
