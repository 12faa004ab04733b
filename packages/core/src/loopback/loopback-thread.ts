// The entry of the loopback thread. It is started by its file name and has nothing to import from: see start-loopback.ts.
import type { AddressInfo } from 'node:net';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { decodeOtlp } from '../otlp/decode.ts';
import { createReceiver } from './receiver.ts';
import { SharedState, type ThreadStart, type ToMain, type ToThread } from './thread-protocol.ts';

const MIB = 1024 * 1024;
const MAX_BACKLOG_BYTES = 256 * MIB;

run(workerData as ThreadStart);

function run(start: ThreadStart): void {
  const shared = new SharedState(start.shared);
  const main: MessagePort = start.port;
  const admitted = new Set<string>();
  const tell = (message: ToMain): void => main.postMessage(message);
  const server = createReceiver({
    limits: { maxSentBytes: 32 * MIB, maxUnpackedBytes: 64 * MIB },
    decode: decodeOtlp,
    isAdmitted: (token) => {
      // The main thread admits a token before it starts the child: the message is here, perhaps not yet read.
      if (!admitted.has(token)) readOrders();
      return admitted.has(token);
    },
    isFull: () => shared.backlogBytes > MAX_BACKLOG_BYTES,
    batch: (batch) => {
      shared.addBacklog(batch.bytes);
      tell({ type: 'batch', ...batch });
    },
    rejected: (reason) => shared.countRejection(reason),
    gone: (token) => tell({ type: 'gone', token }),
  });
  const obey = ({ type, token }: ToThread): void =>
    void (type === 'admit' ? admitted.add(token) : admitted.delete(token));
  const readOrders = (): void => {
    for (let next = receiveMessageOnPort(main); next !== undefined; next = receiveMessageOnPort(main))
      obey(next.message as ToThread);
  };
  main.on('message', obey);
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
