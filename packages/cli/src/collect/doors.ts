import type { AddressInfo, Server } from 'node:net';
import type { Diag } from '@spanprism/core';
import { CommandError } from '../command.ts';
import { bearerCheck } from './bearer.ts';
import { BodyRoom } from './body-room.ts';
import { mostConnections, type Patience } from './connections.ts';
import { createGrpcServer, type GrpcParts } from './grpc-server.ts';
import { createHttpServer, type HttpParts } from './http-server.ts';
import type { CollectSettings } from './settings.ts';

/** The ports that requests come in by. */
export interface Doors {
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  /** Lets nobody in any more and waits for answers that are under way; after the deadline they are cut. */
  close(deadlineMs: number): Promise<void>;
}

export interface DoorParts extends Pick<HttpParts, 'intake' | 'counters' | 'metricsText'> {
  readonly patience: Patience;
}

/** Listens. Rejects with a `CommandError` that names the address that cannot be had. */
export async function openDoors(
  { patience, ...parts }: DoorParts,
  settings: CollectSettings,
  diag: Diag,
): Promise<Doors> {
  const { host, port, tls, token, maxRequestBytes } = settings;
  const shared = {
    ...parts,
    tls,
    isAuthorized: bearerCheck(token),
    connections: { patience, most: mostConnections(), onTurnedAway: () => parts.counters.rejected.add(['crowded']) },
    onFault: (error: unknown): void => diag('error', `collect: ${textOf(error)}`),
  };
  const http = createHttpServer({
    ...shared,
    bodies: new BodyRoom({ maxSentBytes: maxRequestBytes, maxUnpackedBytes: maxRequestBytes }),
    isLoopbackOnly: settings.isLoopback && token === undefined,
  });
  const httpPort = await listening(http.server, { host, port, option: '--port' });
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

async function grpcAt(parts: GrpcParts, { host, grpcPort }: CollectSettings) {
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

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
