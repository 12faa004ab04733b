// The entry of the thread that writes. It is started by its file name, resolves no packages, and has nothing to import from: see channel.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { Scribe } from './scribe.ts';
import type { ThreadStart, ToThread } from './thread-protocol.ts';

/** Short, so that whoever waits for this thread to end is not kept waiting. */
const BUSY_MS = 100;

run(workerData as ThreadStart);

function run({ path, retention }: ThreadStart): void {
  const scribe = new Scribe({ path, retention, busyMs: BUSY_MS, tell: (told) => parentPort?.postMessage(told) });
  parentPort?.on('message', (order: ToThread) => {
    if (order.type === 'rows') return scribe.take(order.id, order.rows);
    scribe.close();
    parentPort?.close();
  });
}
