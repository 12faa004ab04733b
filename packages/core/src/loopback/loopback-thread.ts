// The entry of the loopback thread. It is started by its file name and has nothing to import from: see start-loopback.ts.
import type { AddressInfo } from 'node:net';
import { workerData } from 'node:worker_threads';
import { decodeOtlp } from '../otlp/decode/decode-otlp.ts';
import { createReceiver } from './receiver.ts';
import { readWire, type WireListener } from './wire/read-wire.ts';
import { SharedState, type ThreadStart, type ToMain, type ToThread } from './thread-protocol.ts';

const MIB = 1024 * 1024;
// What a main thread that is blocked for long may leave lying here.
const MAX_BACKLOG_BYTES = 64 * MIB;

run(workerData as ThreadStart);

function run(start: ThreadStart): void {
  const shared = new SharedState(start.shared);
  const main = start.port;
  const admitted = new Set<string>();
  const tell = (message: ToMain): void => main.postMessage(message);
  const server = createReceiver({
    limits: { maxSentBytes: 32 * MIB, maxUnpackedBytes: 64 * MIB },
    decode: decodeOtlp,
    isAdmitted: (token) => admitted.has(token),
    isFull: () => shared.backlogBytes > MAX_BACKLOG_BYTES,
    batch: (batch) => {
      shared.addBacklog(batch.bytes);
      tell({ type: 'batch', ...batch });
    },
    rejected: (reason) => shared.countRejection(reason),
    gone: (token) => tell({ type: 'gone', token }),
  });
  const passed: WireListener = {
    isFull: () => shared.backlogBytes > MAX_BACKLOG_BYTES,
    tell: (exchanges, bytes) => {
      shared.addBacklog(bytes);
      tell({ type: 'exchanges', exchanges, bytes });
    },
  };
  main.on('message', (order: ToThread) => {
    if (order.type === 'read-wire') readWire(order, passed);
    else if (order.type === 'admit') admitted.add(order.token);
    else admitted.delete(order.token);
  });
  // A port that cannot be had (a sandbox without sockets) must be known at once: the main thread may be blocked, waiting for it.
  server.once('error', (error) => {
    shared.publishPort(undefined);
    tell({ type: 'listen-failed', message: error.message });
    main.close();
  });
  server.listen(0, '127.0.0.1', () => {
    shared.publishPort((server.address() as AddressInfo).port);
    tell({ type: 'listening' });
  });
}
