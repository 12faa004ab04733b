import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Environment } from '@spanprism/core/otlp';
import { type Code, type Finding, ok, type Row, rowsOf, skipped } from './finding.ts';

export interface StoreUse {
  readonly env: Environment;
  /** Whether traces go there now. */
  readonly isUsed: boolean;
  /** Below this SQLite may find no room for its log; 16 MiB. */
  readonly minFreeBytes?: number;
}

/** How long another's lock is waited for. */
const BUSY_MS = 1_000;
const MIN_FREE_BYTES = 16 * 1024 * 1024;

/** Whether the local store can be opened, read and written. What is written is taken back. */
export async function storeRows({ env, isUsed, minFreeBytes = MIN_FREE_BYTES }: StoreUse): Promise<readonly Row[]> {
  const { defaultStorePath } = await import('@spanprism/store');
  const path = defaultStorePath(env);
  if (!isUsed && !existsSync(path)) return [skipped('store', 'traces go elsewhere, and there is none')];
  try {
    const runs = await use(path);
    const free = freeBytes(path);
    const isFull = free !== undefined && free < minFreeBytes;
    return isFull ? rowsOf('store', [diskFull(path)], '') : [ok('store', `${path}, ${runs}`)];
  } catch (error) {
    return rowsOf('store', [findingOf(error, path)], '');
  }
}

/** Makes it where there is none: so would the first trace. */
async function use(path: string): Promise<string> {
  const { openStore, sqliteSink } = await import('@spanprism/store');
  await sqliteSink({ path }).close(BUSY_MS);
  tryWriting(path);
  const store = openStore(path, { readOnly: true });
  try {
    return store.runs({ limit: 1 }).length === 0 ? 'no runs yet' : 'with runs';
  } finally {
    store.close();
  }
}

function tryWriting(path: string): void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.exec('BEGIN IMMEDIATE; CREATE TABLE spanprism_doctor (canary TEXT); ROLLBACK');
  } finally {
    database.close();
  }
}

function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

function diskFull(path: string): Finding {
  const fix = 'Make room, or set SPANPRISM_STORE to another disk.';
  return { code: 'store_disk_full', what: 'the disk of the store is full', where: path, fix };
}

type Diagnosis = Pick<Finding, 'code' | 'what' | 'fix'>;

const ELSEWHERE = 'Set SPANPRISM_STORE to another place.';

/** By the store's own codes. */
const PROBLEMS: Readonly<Record<string, Diagnosis>> = {
  store_corrupt: {
    code: 'store_corrupt',
    what: 'the store is damaged, or no SQLite database',
    fix: 'Move the file away: a new one is made.',
  },
  store_foreign: {
    code: 'store_corrupt',
    what: 'the file is a database of another program',
    fix: ELSEWHERE,
  },
  store_newer: {
    code: 'store_newer',
    what: 'a newer spanprism has written the store',
    fix: `Update spanprism, or: ${ELSEWHERE}`,
  },
  store_busy: locked(),
  node_too_old: { code: 'node_too_old', what: 'this Node has no node:sqlite', fix: 'Install Node 24.' },
};

/** By SQLite's, which `errcode` has with more in its upper bits. */
const RESULTS: Readonly<Record<number, Diagnosis>> = {
  5: locked(),
  6: locked(),
  11: PROBLEMS['store_corrupt']!,
  13: { code: 'store_disk_full', what: 'the disk of the store is full', fix: 'Make room on it.' },
  26: PROBLEMS['store_corrupt']!,
};

function locked(): Diagnosis {
  const fix = 'See who has it open (lsof, fuser), and end that or wait for it.';
  return { code: 'store_locked', what: 'another program holds the store locked', fix };
}

function findingOf(error: unknown, path: string): Finding {
  const { code, errcode, message } = Object(error) as { code?: unknown; errcode?: unknown; message?: unknown };
  const known = PROBLEMS[String(code)] ?? (typeof errcode === 'number' ? RESULTS[errcode & 0xff] : undefined);
  if (known !== undefined) return { ...known, where: path };
  const [, reason = String(code ?? message)] = /\b(E[A-Z]{3,})\b/.exec(String(message)) ?? [];
  const what = `the store cannot be written (${reason})`;
  return { code: 'store_not_writable' satisfies Code, what, where: path, fix: ELSEWHERE };
}
