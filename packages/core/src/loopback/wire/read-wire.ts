import type { Loopback } from '../start-loopback.ts';
import type { ReadWire } from '../thread-protocol.ts';
import { ExchangeReader } from './exchange-reader.ts';
import type { WireExchange } from './wire-exchange.ts';
import { type PassedExchange, passedBytes, type ToReader, WireState } from './wire-protocol.ts';

export interface WireListener {
  /** Whether the main thread has so much to take already that content must be left out. */
  isFull(): boolean;
  /** `bytes`: about what they hold. */
  tell(exchanges: readonly WireExchange[], bytes: number): void;
}

/** Reads, on this thread, what the forwarding thread has let pass. */
export function readWire({ port, shared }: Omit<ReadWire, 'type'>, listener: WireListener): void {
  const state = new WireState(shared);
  const reader = new ExchangeReader();
  port.on('message', (message: ToReader) => {
    if (message.type === 'release') return reader.release(message.token);
    const isFull = listener.isFull();
    let bytes = 0;
    const exchanges = message.exchanges.map((exchange) => {
      bytes += passedBytes(exchange);
      if (isFull) state.count('thinned');
      return reader.read(isFull ? thin(exchange) : exchange);
    });
    listener.tell(exchanges, isFull ? 0 : bytes);
    // Each as it was added: they are counted in whole KiB.
    for (const exchange of message.exchanges) state.removeWaiting(passedBytes(exchange));
  });
}

/** Reads on the thread that calls, for a program that has nothing else to do. */
export const readHere: Pick<Loopback, 'readWire'> = {
  readWire: (passed, take) => {
    readWire(passed, { isFull: () => false, tell: (exchanges) => exchanges.forEach(take) });
    passed.port.unref();
  },
};

function thin({ answer, request, ...rest }: PassedExchange): PassedExchange {
  return {
    ...rest,
    request: { ...request, body: new Uint8Array() },
    ...(answer === undefined ? {} : { answer: { ...answer, body: new Uint8Array() } }),
    wasThinned: true,
  };
}
