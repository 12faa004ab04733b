import { createServer, type Server, type Socket } from 'node:net';
import { Connection, type WireHost } from './connection.ts';

/** The server of the pass-through, not yet listening. It throws nothing. */
export function createPassThrough(host: WireHost, onConnection: (client: Socket) => void): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 64 * 1024 }, (client) => {
    onConnection(client);
    new Connection(client, host);
  });
  // Whoever else is on this machine may knock, but not use up the descriptors of the program.
  server.maxConnections = 1024;
  return server;
}
