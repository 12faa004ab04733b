import type { AddressInfo, Server } from 'node:net';
import { CommandError } from '../../command.ts';
import { bearerCheck } from './bearer.ts';
import { BodyRoom } from './body-room.ts';
import { mostConnections } from './connections.ts';
import type { DoorSettings } from './door-settings.ts';
import { createGrpcServer, type GrpcParts } from './grpc-server.ts';
import { createHttpServer, type HttpParts } from './http-server.ts';

/** The ports that requests come in by. */
export interface Doors {
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  /** Lets nobody in any more and waits for answers that are under way; after the deadline they are cut. */
  close(deadlineMs: number): Promise<void>;
}

export type Host = Pick<HttpParts, 'desk' | 'onRefused' | 'onFault'>;

/** Listens. Rejects with a `CommandError` that names the address that cannot be had. */
export async function openDoors(host: Host, settings: DoorSettings): Promise<Doors> {
  const { tls, token, patience, maxRequestBytes } = settings;
  const shared = {
    ...host,
    tls,
    isAuthorized: bearerCheck(token),
    connections: { patience, most: mostConnections(), onTurnedAway: () => host.onRefused('crowded') },
    bodies: new BodyRoom({ maxSentBytes: maxRequestBytes, maxUnpackedBytes: maxRequestBytes }),
  };
  const http = createHttpServer({ ...shared, isLoopbackOnly: settings.isLoopback && token === undefined });
  const httpPort = await listening(http.server, { host: settings.host, port: settings.port, option: '--port' });
  try {
    const grpc = await grpcAt({ ...shared, maxMessageBytes: maxRequestBytes }, settings);
    return {
      httpPort,
      grpcPort: grpc?.port,
      close: async (deadlineMs) => void (await Promise.all([http.close(deadlineMs), grpc?.close(deadlineMs)])),
    };
  } catch (error) {
    await http.close(0);
    throw error;
  }
}

async function grpcAt(parts: GrpcParts, { host, grpcPort }: DoorSettings) {
  if (grpcPort === undefined) return undefined;
  const { server, close } = await createGrpcServer(parts);
  return { close, port: await listening(server, { host, port: grpcPort, option: '--grpc-port' }) };
}

interface Address {
  readonly host: string;
  readonly port: number;
  /** By which the port is chosen. */
  readonly option: string;
}

/** Resolves to the port. */
function listening(server: Server, { host, port, option }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      const what = `collect: cannot listen at ${host.includes(':') ? `[${host}]` : host}:${port} (${code || message})`;
      const fix = FIXES[code] ?? 'choose another port with --port, or end what listens there';
      reject(new CommandError({ what, fix: fix.replace('--port', option), exitCode: 1 }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

const FIXES: Readonly<Record<string, string>> = {
  EACCES: 'choose a port from 1024 up with --port',
  EADDRNOTAVAIL: 'give an address of this machine with --host',
  ENOTFOUND: 'give an address of this machine with --host',
};
