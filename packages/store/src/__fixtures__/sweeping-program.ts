// A program that keeps a store below a size, as fast as it can, until it is stopped, and says how many runs it has removed.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { openForWriting } from '../open-database.ts';
import { isBusy } from '../sqlite.ts';
import { Retention } from '../write/retention.ts';

const [path = '', maxBytes = '0'] = process.argv.slice(2);
const database = openForWriting(path, { busyMs: 1_000 });
const retention = new Retention(database, { maxAgeDays: 1, maxBytes: Number(maxBytes) });
const oldest = new DatabaseSync(path, { readOnly: true }).prepare('SELECT min(id) AS id FROM run');

let last: unknown;
for (;;) {
  try {
    retention.sweep();
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
  const { id } = oldest.get() ?? {};
  if (id !== last) process.stdout.write(`${String(id)}\n`);
  last = id;
  await delay(5);
}
