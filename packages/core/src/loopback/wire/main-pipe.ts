import type { Server } from 'node:net';
import { createPassThrough } from './pass-through.ts';
import { type Dialed, prepare, type Upstream } from './upstream.ts';
import type { WireState } from './wire-protocol.ts';

export interface PipeOptions {
  readonly port: number;
  readonly upstreamOf: (token: string) => Upstream | undefined;
  readonly state: WireState;
}

/** The port is free as soon as the thread that had it is gone, which may take a moment. */
const RETRY_MS = 5;
const GIVE_UP_MS = 5_000;

/**
 * Forwards on the main thread what the forwarding thread can no longer: on the same port, so that the CLI's next attempt gets through.
 * Nothing is looked at. Rejects when the port cannot be had.
 */
export async function openPipe({ port, upstreamOf, state }: PipeOptions): Promise<Server> {
  const dialed = new Map<string, Dialed>();
  const server = createPassThrough(
    {
      observes: false,
      route: (token) => {
        const upstream = upstreamOf(token);
        const known = dialed.get(token) ?? (upstream === undefined ? undefined : prepare(upstream));
        if (known !== undefined) dialed.set(token, known);
        return upstream === undefined ? undefined : known;
      },
      refused: () => state.count('refused'),
      requested: (isCall) => {
        state.count('requests');
        if (!isCall) return;
        state.count('calls');
        state.count('lost');
      },
      ended: (end) => {
        if (end !== 'complete') state.count(end);
      },
      observed: () => undefined,
    },
    (client) => {
      state.count('connections');
      client.unref();
    },
  );
  server.unref();
  const until = performance.now() + GIVE_UP_MS;
  for (;;) {
    const error = await listening(server, port);
    if (error === undefined) return server;
    if (error.code !== 'EADDRINUSE' || performance.now() > until) throw error;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function listening(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      server.on('error', () => undefined);
      resolve(undefined);
    });
  });
}
