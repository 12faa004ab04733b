// The entry of the forwarding thread. It is started by its file name and has nothing to import from: see start-wire.ts.
import type { AddressInfo, Server } from 'node:net';
import { type MessagePort, workerData } from 'node:worker_threads';
import { RecentMap } from '../../model/bounded.ts';
import { Outbox } from './outbox.ts';
import { createPassThrough } from './pass-through.ts';
import { type Dialed, prepare } from './upstream.ts';
import {
  type FromWire,
  type PassedExchange,
  passedBytes,
  type ToReader,
  type ToWire,
  WireState,
  type WireStart,
} from './wire-protocol.ts';

/** What may lie here unread before bodies are left out. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
const MOST_RELEASED = 256;

run(workerData as WireStart);

function run(start: WireStart): void {
  const { port: main, readerPort: reader } = start;
  const state = new WireState(start.shared);
  const routes = new Map<string, { readonly dialed: Dialed; exchanges: number }>();
  // A child that is let go of may still have something to ask: it gets through, unseen.
  const released = new RecentMap<Dialed>(MOST_RELEASED);
  const outbox = new Outbox(reader);
  let isRead = true;
  // With its reader gone nothing is collected any more; everything still passes.
  reader.on('close', () => {
    isRead = false;
  });
  const server = createPassThrough(
    {
      get observes() {
        return isRead;
      },
      route: (token) => routes.get(token)?.dialed ?? released.get(token),
      refused: () => state.count('refused'),
      requested: (isCall) => {
        state.count('requests');
        if (!isCall) return;
        state.count('calls');
        if (!isRead) state.count('lost');
      },
      ended: (end) => {
        if (end !== 'complete') state.count(end);
      },
      observed: (exchange, how) => {
        const route = routes.get(exchange.token);
        if (route === undefined) return state.count('lost');
        const isThin = state.waitingBytes > MAX_WAITING_BYTES;
        const passed = exchange.ended({ ...how, number: route.exchanges++, isThin });
        if (passed.wasThinned) state.count('thinned');
        state.addWaiting(passedBytes(passed));
        outbox.add(passed, buffersOf(passed));
      },
    },
    () => state.count('connections'),
  );
  main.on('message', (message: ToWire) => {
    if (message.type === 'admit') routes.set(message.token, { dialed: prepare(message.upstream), exchanges: 0 });
    else {
      const route = routes.get(message.token);
      if (route === undefined) return;
      routes.delete(message.token);
      released.set(message.token, route.dialed);
      outbox.post();
      reader.postMessage({ type: 'release', token: message.token } satisfies ToReader);
    }
  });
  // Nothing that goes wrong with one connection may end the others.
  process.on('uncaughtException', () => state.count('lost'));
  listen(server, state, main);
}

function listen(server: Server, state: WireState, main: MessagePort): void {
  const tell = (message: FromWire): void => main.postMessage(message);
  server.once('error', (error) => {
    state.publishPort(undefined);
    tell({ type: 'listen-failed', message: error.message });
    main.close();
  });
  server.listen(0, '127.0.0.1', () => {
    state.publishPort((server.address() as AddressInfo).port);
    tell({ type: 'listening' });
  });
}

/** Handed over, not copied. */
function buffersOf({ request, answer }: PassedExchange): ArrayBuffer[] {
  const bodies = [request.body, answer?.body ?? new Uint8Array()];
  return bodies.filter(({ length }) => length > 0).map(({ buffer }) => buffer as ArrayBuffer);
}
