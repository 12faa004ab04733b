import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapturedSpan, SpanKey } from '@spanprism/core';
import { onTestFinished } from 'vitest';
import { openForWriting } from '../open-database.ts';
import { openStore } from '../read/open-store.ts';
import { rowOf } from '../span-row.ts';
import type { Store } from '../store.ts';
import { Writer } from '../write/writer.ts';

/** A folder that is gone when the test is. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanprism-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path at which there is no store yet, in a folder that is not there either. */
export function newPath(): string {
  return join(newFolder(), 'made', 'spans.db');
}

/** Each list in a transaction of its own. */
export function write(path: string, ...batches: readonly (readonly CapturedSpan[])[]): void {
  const database = openForWriting(path, { busyMs: 1_000 });
  const writer = new Writer(database);
  for (const batch of batches) writer.write(batch.map(rowOf));
  database.close();
}

export function open(path: string): Store {
  const store = openStore(path);
  onTestFinished(() => store.close());
  return store;
}

/** A store with these spans. */
export function storeOf(...batches: readonly (readonly CapturedSpan[])[]): Store {
  const path = newPath();
  write(path, ...batches);
  return open(path);
}

/** The same span in another session, under keys of that session. */
export function inSession(session: string, spans: readonly CapturedSpan[]): readonly CapturedSpan[] {
  return spans.map((span) => ({ ...span, sessionId: session, key: `${session}/${span.key}` as SpanKey }));
}
